"""NSD beside us, on a port of 127.0.0.1 and with every file in a directory of its own."""

# port, directory, connections (over TCP), origin and zonefile, which is in the directory.
NSD_CONF = """\
server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  zonelistfile: "{directory}/zone.list"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  xfrdir: "{directory}"
  tcp-count: {connections}
  # It would answer 200 queries/s of one client.
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {origin}
  zonefile: {zonefile}
"""
