# Freshet's images. Maven lays out what they hold, this puts it on a base:
#   ./mvnw -Pimages -DskipTests package
#   docker build -f Dockerfile --target job -t freshet/job images
# All run as user 9999 with a read-only root file system; what has to be writable is a volume: docs/images.md.
ARG BASE=docker.io/library/flink:2.3.0-scala_2.12-java17
ARG JRE=docker.io/library/eclipse-temurin:17-jre
ARG PYTHON=docker.io/library/python:3.12-slim

FROM ${JRE} AS java
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="Freshet" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# libtorch is unpacked there at the first start.
ENV DJL_CACHE_DIR=/tmp/djl \
    DJL_OFFLINE=true \
    OPT_OUT_TRACKING=true
WORKDIR /opt/freshet
# What a new volume there takes over.
RUN install -d -o 9999 -g 9999 /var/lib/freshet
USER 9999:9999

# Takes the options of `freshet serve`. Half of the memory is heap: libtorch's is outside it.
FROM java AS server
LABEL org.opencontainers.image.title="freshet/server" \
      org.opencontainers.image.description="Follows a model and answers with its predictions over HTTP"
COPY server/target/lib/ lib/
COPY server/target/sbom.cdx.json server/target/third-party/THIRD-PARTY.txt ./
EXPOSE 8080
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=50", "-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError", \
            "-Dai.djl.offline=true", "-Dai.djl.pytorch.num_threads=1", \
            "-Dlog4j2.configurationFile=freshet-server-log4j2.xml", \
            "-cp", "/opt/freshet/lib/*", "dev.freshet.server.ModelServer"]
CMD ["--host=0.0.0.0", "--port=8080"]

# Takes the arguments of `freshet`.
FROM java AS tools
LABEL org.opencontainers.image.title="freshet/tools" \
      org.opencontainers.image.description="The command line, with the simulator"
COPY tools/target/lib/ lib/
COPY tools/target/pipelines/ pipelines/
COPY tools/target/submit/ streaming-job/target/
COPY tools/target/sbom.cdx.json sbom.cdx.json
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=50", "-XX:+UseParallelGC", \
            "--add-opens", "java.base/java.util=ALL-UNNAMED", \
            "-Dfreshet.home=/opt/freshet", "-Dfreshet.log=/tmp/freshet.log", \
            "-Dai.djl.offline=true", "-Dai.djl.pytorch.num_threads=1", \
            "-cp", "/opt/freshet/lib/*", "dev.freshet.local.Freshet"]
CMD ["help"]

# Takes the arguments of Flink's image: `standalone-job --job-classname dev.freshet.job.StreamingJob ...`, `taskmanager ...`.
FROM ${BASE} AS job
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="Freshet" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.title="freshet/job" \
      org.opencontainers.image.description="Flink with the training job, on CPUs"
USER root
# Flink's plugins: a reporter for Prometheus, which is there already, and object stores.
RUN test -f "$(echo /opt/flink/plugins/metrics-prometheus/flink-metrics-prometheus-*.jar)" \
    && mkdir /opt/flink/plugins/s3-fs-presto \
    && cp /opt/flink/opt/flink-s3-fs-presto-*.jar /opt/flink/plugins/s3-fs-presto/ \
    && install -d -o 9999 -g 9999 /var/lib/freshet
# The native library is loaded once in a process, so DJL is not in the job's jar.
COPY job/target/lib/ /opt/flink/lib/
COPY job/target/usrlib/ /opt/flink/usrlib/
COPY job/target/conf/ /opt/flink/conf/
COPY job/target/sbom.cdx.json /opt/freshet/sbom.cdx.json
ENV DJL_CACHE_DIR=/tmp/djl \
    DJL_OFFLINE=true \
    OPT_OUT_TRACKING=true
USER 9999:9999

# Not built or run yet. DJL's JNI 2.7.1-0.35.1 is built for CUDA 12.8, so that libtorch, and what that wheel asks for.
FROM ${PYTHON} AS libtorch-cuda
RUN pip install --no-cache-dir --target /opt/libtorch \
      --index-url https://download.pytorch.org/whl/cu128 torch==2.7.1+cu128

FROM job AS job-cuda
LABEL org.opencontainers.image.title="freshet/job-cuda" \
      org.opencontainers.image.description="Flink with the training job, on NVIDIA GPUs"
USER root
RUN rm /opt/flink/lib/pytorch-native-cpu-*.jar
COPY --from=libtorch-cuda /opt/libtorch/torch/lib/ /opt/libtorch/torch/lib/
# Where libtorch looks for them: ../../nvidia beside itself.
COPY --from=libtorch-cuda /opt/libtorch/nvidia/ /opt/libtorch/nvidia/
COPY --from=libtorch-cuda /opt/libtorch/cusparselt/ /opt/libtorch/cusparselt/
# Driver libraries are mounted by NVIDIA's container toolkit.
ENV PYTORCH_LIBRARY_PATH=/opt/libtorch/torch/lib \
    PYTORCH_VERSION=2.7.1 \
    PYTORCH_FLAVOR=cu128 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 9999:9999
