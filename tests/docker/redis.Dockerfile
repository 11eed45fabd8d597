# Stands in for redis:7-alpine where no image can be pulled. The official image is built without
# protected mode, so the stand-in switches it off.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
RUN install -d -o redis /data
WORKDIR /data
USER redis
VOLUME /data
EXPOSE 6379
ENTRYPOINT ["bash", "-c", "exec \"$@\" --protected-mode no", "entrypoint"]
CMD ["redis-server"]
