# GreenDNS in a container, compiled: docker build -t greendns .
#   docker run --network host -v /etc/greendns:/etc/greendns:ro -v greendns:/var/cache/greendns greendns
# As the first process of the container it reaps what others leave, and hears TERM: it needs no --init.

FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
COPY . /src
RUN python -m venv /opt/greendns && /opt/greendns/bin/pip install --no-cache-dir /src

FROM python:3.11-slim-bookworm
RUN useradd --system --no-create-home --shell /usr/sbin/nologin greendns \
    && install -d -o greendns -m 0700 /var/cache/greendns
COPY --from=build /opt/greendns /opt/greendns
EXPOSE 53/udp 53/tcp 8053/tcp
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/greendns/bin/greendns"]
# It binds as root, and becomes this user.
CMD ["serve", "--config", "/etc/greendns", "--user", "greendns", "--cache", "/var/cache/greendns"]
