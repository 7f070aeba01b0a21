"""What a program was answered, so that asking twice does not do it twice."""

from django.db import models

from organizations.models.people import Admin


class IdempotentAnswer(models.Model):
    """The answer to one `Idempotency-Key` of one admin; kept for a day."""

    admin = models.ForeignKey(Admin, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)  # null while the first one is at work
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["admin", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
