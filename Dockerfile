# For the CPU: docker build -t fastreid_prune .
# (--build-arg PIP_EXTRA_INDEX_URL=… with the index of torch's CPU wheels makes the image several GB smaller)
# docker run --rm -v "$PWD/data:/data" fastreid_prune doctor
FROM python:3.12-slim

# fastreid's evaluation compiles where there is a compiler; ours needs none. libgomp: faiss and torch.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
ARG PIP_EXTRA_INDEX_URL
WORKDIR /opt/fastreid_prune
COPY . .
RUN pip install --no-cache-dir torch torchvision \
    && pip install --no-cache-dir '.[cpu,report]' \
    && pip install --no-cache-dir --no-deps fastreid==1.4.0
WORKDIR /work
ENTRYPOINT ["fastreid-prune"]
CMD ["--help"]
