from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0003_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='vppuser',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
    ]
