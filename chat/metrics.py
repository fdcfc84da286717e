"""What this room tells Prometheus: replies and sockets of this process."""

from prometheus_client import Counter, Gauge

REPLIES_RUNNING = Gauge("replies_running", "Replies that this process is writing.")
REPLIES = Counter("replies", "Replies that ended here, by how.", ["status"])
TAKEN_OVER = Counter("replies_taken_over", "Replies that another process began and this one went on with.")
SOCKETS_OPEN = Gauge("sockets_open", "Open chat sockets.")
