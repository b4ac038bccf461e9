# The page in a container: docker build -t idto3d . && docker run --init -p 7860:7860 -v heads:/runs idto3d
# With an NVIDIA GPU and its container toolkit: docker run --gpus all ...
# The version of Python is that of README.md's head, those of the packages are in constraints.txt.
FROM python:3.12-slim
WORKDIR /app
COPY packages.txt requirements.txt constraints.txt ./
RUN apt-get update && xargs -a packages.txt apt-get install -y --no-install-recommends && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir -r requirements.txt -c constraints.txt
COPY . .
RUN useradd --create-home page && mkdir /runs /weights && chown page /runs /weights
USER page
ENV IDTO3D_HOST=0.0.0.0 IDTO3D_RUNS=/runs IDTO3D_PUBLIC=yes HF_HOME=/weights \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
EXPOSE 7860
CMD ["python", "app.py"]
