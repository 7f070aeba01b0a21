# One image for every process: web, worker, beat, migrations, and the fake Apple of the demo.
FROM python:3.11.14-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY requirements/production.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
    --requirement /tmp/requirements.txt

FROM python:3.11.14-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py docker/healthcheck.py ./
COPY vpp_dashboard vpp_dashboard
COPY licensing licensing
COPY users users
COPY apps_catalog apps_catalog
COPY vpp_accounts vpp_accounts
COPY organizations organizations
COPY templates templates
COPY static static
COPY locale locale
# The production settings ask for secrets, which this step does not use and the image does not keep.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEYS=build DATABASE_OWNER_URL=postgres://build \
    DATABASE_SYSTEM_URL=postgres://build python manage.py collectstatic --no-input
RUN python -m compileall -q /app /opt/venv/lib
USER 10001:10001
EXPOSE 8000
# What proxies tell is weighed by the product itself (TRUSTED_PROXIES), so gunicorn believes nobody.
CMD ["gunicorn", "vpp_dashboard.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--forwarded-allow-ips", ""]
