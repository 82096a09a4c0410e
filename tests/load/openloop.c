/* An open-loop sender of DNS queries over UDP: a fixed schedule, many source ports -> JSON on standard output.

     openloop [OPTIONS] HOST PORT FILE        FILE as for dnsperf -B: 2 octets of length, packet, and so on

     --rate N          queries per second (default 10000)
     --seconds S       how long; or
     --total N         how many
     --sockets N       connected sockets, each with a port of its own (default 256)
     --patience MS     an answer that comes later than this is none (default 2000)
     --outstanding N   in place of a schedule: as fast as answers come, this many on their way at a time
     --unique FIRST    puts the scrambled number of the query, counted from FIRST, into the first label: 16 hexadecimal
                       digits, no two alike in 2^64

   A sender that waits for answers stalls together with the server, and hides it. This one sends what is due, whatever
   comes back, and counts latency from when a query was due. What it is itself late with, it tells: figures of a run with
   late sends speak of the sender. SIGTERM ends the schedule: what is on its way is waited for. It spins where the next
   query is near, so it wants a core of its own. */

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

enum {
    BATCH = 16,         /* datagrams per system call */
    EVENTS = 64,        /* sockets that are read before what is due is sent again */
    HEADER_OCTETS = 12, /* RFC 1035 section 4.1.1 */
    DIGITS = 16,
    RCODES = 16,
    MEMINFO_DROPS = 8,     /* SK_MEMINFO_DROPS of linux/sock_diag.h */
    MEMINFO_WORDS = 9,
};
#define SECOND 1000000000ull
#define LATE_NS 1000000ull      /* a query that leaves 1 ms after it was due is told as late */
#define SPIN_NS 100000ull       /* a nearer one is waited for awake: to sleep takes about this long */
#define EXPIRY_NS 100000000ull  /* how often a closed loop looks for what was lost */
#define WINDOW_NS 100000000ull  /* answers are counted by when they came */
#define WINDOWS 65536           /* an hour and a half; what comes later is not looked at in windows */

typedef struct {
    const uint8_t *octets;
    size_t length;
} packet;

/* One source port. A slot is (when it was due + 1) << 16 | id, 0 if nothing is waited for: 48 bits of nanoseconds are
   three days. */
typedef struct {
    int fd;
    uint16_t next_id;
    uint64_t *slots;
} port;

static struct {
    uint64_t rate, total, patience, outstanding, first;
    int sockets, unique;
    const char *source;
} plan = {.rate = 10000, .patience = 2 * SECOND, .sockets = 256};

static packet *packets;
static size_t packet_count;
static port *ports;
static uint32_t slot_mask;
static int polled;
static uint64_t start, sent, answered, expired, late, strange, truncated, octets, sent_octets, rcodes[RCODES];
static histogram latencies, lateness;
static uint32_t windows[WINDOWS];
static volatile sig_atomic_t told_to_end;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "openloop: %s: %s\n", what, why);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec - start;
}

/* -- setting up */

static void read_packets(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        die(path, strerror(errno));
    long size = ftell(file);
    rewind(file);
    uint8_t *octets = malloc((size_t)size + 1);
    packets = malloc(((size_t)size / HEADER_OCTETS + 1) * sizeof *packets);
    if (!octets || !packets || fread(octets, 1, (size_t)size, file) != (size_t)size)
        die(path, "can't be read");
    fclose(file);
    for (long at = 0; at < size;) {
        size_t length = at + 2 <= size ? (size_t)octets[at] << 8 | octets[at + 1] : 0;
        if (length <= HEADER_OCTETS || at + 2 + (long)length > size)
            die(path, "holds something else than packets behind their lengths");
        packets[packet_count++] = (packet){octets + at + 2, length};
        if (plan.unique && (octets[at + 2 + HEADER_OCTETS] < DIGITS || length < HEADER_OCTETS + 1 + DIGITS))
            die(path, "--unique needs first labels of 16 octets or more");
        at += 2 + (long)length;
    }
    if (!packet_count)
        die(path, "is empty");
}

/* Any port of the source address, where one is set; 0 on success. */
static int bind_source(int fd, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *address;
    if (!plan.source)
        return 0;
    int error = getaddrinfo(plan.source, NULL, &hints, &address);
    if (error)
        die(plan.source, gai_strerror(error));
    int failed = bind(fd, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(address);
    return failed;
}

static void open_ports(const char *host, const char *service)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *address;
    int error = getaddrinfo(host, service, &hints, &address);
    if (error)
        die(host, gai_strerror(error));
    uint64_t waiting = plan.outstanding ? plan.outstanding : plan.rate * plan.patience / SECOND;
    uint32_t slots = 64;
    while (slots < 65536 && slots < 2 * waiting / (uint64_t)plan.sockets)
        slots *= 2;
    slot_mask = slots - 1;
    polled = epoll_create1(0);
    ports = calloc((size_t)plan.sockets, sizeof *ports);
    if (polled < 0 || !ports)
        die("start", strerror(errno));
    for (int at = 0; at < plan.sockets; at++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)at};
        port *each = ports + at;
        each->slots = calloc(slots, sizeof *each->slots);
        each->fd = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (!each->slots || each->fd < 0 || bind_source(each->fd, address->ai_family) || connect(each->fd, address->ai_addr, address->ai_addrlen)
            || epoll_ctl(polled, EPOLL_CTL_ADD, each->fd, &event))
            die(host, strerror(errno));
    }
    freeaddrinfo(address);
}

/* -- sending */

static uint64_t due_at(uint64_t number)
{
    return (uint64_t)((unsigned __int128)number * SECOND / plan.rate);
}

/* How many queries should have left by now. */
static uint64_t due_by(uint64_t time)
{
    uint64_t due = plan.outstanding ? answered + expired + plan.outstanding
                                    : (uint64_t)((unsigned __int128)time * plan.rate / SECOND) + 1;
    return due < plan.total ? due : plan.total;
}

static void write_digits(uint8_t *digits, uint64_t number)
{
    /* An odd factor maps 2^64 numbers onto themselves: scrambled, and still no two alike. */
    number *= 0x9e3779b97f4a7c15ull;
    for (int at = 0; at < DIGITS; at++, number <<= 4)
        digits[at] = (uint8_t)"0123456789abcdef"[number >> 60];
}

static void send_batch(port *each, unsigned count)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH][4];
    uint8_t ids[BATCH][2], digits[BATCH][DIGITS];
    for (unsigned at = 0; at < count; at++) {
        const packet *from = packets + (sent + at) % packet_count;
        uint16_t id = (uint16_t)(each->next_id + at);
        unsigned used = 0;
        size_t whole = 2; /* how much of the packet is in the parts */
        ids[at][0] = (uint8_t)(id >> 8);
        ids[at][1] = (uint8_t)id;
        parts[at][used++] = (struct iovec){ids[at], 2};
        if (plan.unique) {
            write_digits(digits[at], plan.first + sent + at);
            parts[at][used++] = (struct iovec){(void *)(from->octets + whole), HEADER_OCTETS + 1 - whole};
            parts[at][used++] = (struct iovec){digits[at], DIGITS};
            whole = HEADER_OCTETS + 1 + DIGITS;
        }
        parts[at][used++] = (struct iovec){(void *)(from->octets + whole), from->length - whole};
        messages[at] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts[at], .msg_iovlen = used}};
    }
    uint64_t time = now();
    int left = sendmmsg(each->fd, messages, count, 0);
    if (left < 0) {
        /* No room, or an ICMP error of an earlier query: it is tried again in the next turn, and counted as late. */
        if (errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR)
            die("send", strerror(errno));
        return;
    }
    for (int at = 0; at < left; at++, sent++) {
        uint64_t due = plan.outstanding ? time : due_at(sent);
        uint64_t *slot = each->slots + (each->next_id & slot_mask);
        expired += *slot != 0;
        *slot = (due + 1) << 16 | each->next_id++;
        sent_octets += messages[at].msg_len;
        note(&lateness, time - due);
        late += time - due > LATE_NS;
    }
}

static void send_due(uint64_t time)
{
    static uint64_t turn;
    uint64_t due = due_by(time);
    /* Between two looks at the answers a socket's turn comes at most once. */
    for (int at = 0; at < plan.sockets && sent < due; at++, turn++) {
        uint64_t count = due - sent;
        send_batch(ports + turn % (uint64_t)plan.sockets, count < BATCH ? (unsigned)count : BATCH);
    }
}

/* -- receiving */

static void take_answer(port *each, const uint8_t *head, unsigned length, uint64_t time)
{
    uint16_t id = (uint16_t)(head[0] << 8 | head[1]);
    uint64_t *slot = each->slots + (id & slot_mask);
    if (length < 4 || !(head[2] & 0x80) || !*slot || (uint16_t)*slot != id) {
        strange++;
        return;
    }
    uint64_t latency = time - ((*slot >> 16) - 1);
    *slot = 0;
    if (latency > plan.patience) {
        expired++;
        return;
    }
    answered++;
    if (time / WINDOW_NS < WINDOWS)
        windows[time / WINDOW_NS]++;
    octets += length;
    truncated += (head[2] & 2) != 0;
    rcodes[head[3] & 15]++;
    note(&latencies, latency);
}

static void take_from(port *each)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t heads[BATCH][HEADER_OCTETS]; /* the rest of an answer is not looked at */
    for (int at = 0; at < BATCH; at++) {
        parts[at] = (struct iovec){heads[at], HEADER_OCTETS};
        messages[at] = (struct mmsghdr){.msg_hdr = {.msg_iov = parts + at, .msg_iovlen = 1}};
    }
    int came = recvmmsg(each->fd, messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    uint64_t time = now();
    for (int at = 0; at < came; at++)
        take_answer(each, heads[at], messages[at].msg_len, time);
}

/* Wait up to so long, and read every socket that has something, up to EVENTS of them. */
static void take_answers(uint64_t wait)
{
    struct epoll_event events[EVENTS];
    if (wait > SPIN_NS) {
        struct pollfd one = {.fd = polled, .events = POLLIN};
        struct timespec timeout = {(time_t)(wait / SECOND), (long)(wait % SECOND)};
        ppoll(&one, 1, &timeout, NULL);
    }
    int ready = epoll_wait(polled, events, EVENTS, 0);
    for (int at = 0; at < ready; at++)
        take_from(ports + events[at].data.u32);
}

/* What nobody waits for any longer makes room in a closed loop. */
static void expire(uint64_t time)
{
    static uint64_t next;
    if (time < next)
        return;
    next = time + EXPIRY_NS;
    for (int at = 0; at < plan.sockets; at++)
        for (uint32_t slot = 0; slot <= slot_mask; slot++) {
            uint64_t *each = ports[at].slots + slot;
            if (*each && (*each >> 16) - 1 + plan.patience < time) {
                *each = 0;
                expired++;
            }
        }
}

/* How long to wait for answers before something else is to be done. */
static uint64_t idle(uint64_t time)
{
    if (sent == plan.total || plan.outstanding)
        return sent < due_by(time) ? 0 : EXPIRY_NS / 10;
    uint64_t due = due_at(sent);
    return due > time + SPIN_NS / 2 ? due - time - SPIN_NS / 2 : 0;
}

static void end_schedule(int signal)
{
    (void)signal;
    told_to_end = 1;
}

static uint64_t run(uint64_t seconds)
{
    uint64_t ended = 0;
    if (plan.outstanding && seconds)
        plan.total = UINT64_MAX;
    start = now();
    for (uint64_t time = 0; !ended || (answered + expired < sent && time < ended + plan.patience); time = now()) {
        if (!ended && (told_to_end || (plan.outstanding && seconds && time >= seconds)))
            plan.total = sent;
        send_due(time);
        if (!ended && sent == plan.total)
            ended = now();
        if (plan.outstanding)
            expire(time);
        take_answers(idle(now()));
    }
    return ended;
}

/* -- telling */

static uint64_t own_drops(void)
{
    uint64_t drops = 0;
    for (int at = 0; at < plan.sockets; at++) {
        uint32_t words[MEMINFO_WORDS] = {0};
        socklen_t size = sizeof words;
        if (!getsockopt(ports[at].fd, SOL_SOCKET, SO_MEMINFO, words, &size))
            drops += words[MEMINFO_DROPS];
    }
    return drops;
}

/* The fewest answers that came within any whole window while there was something to send, as a rate per second. */
static uint64_t slowest_rate(uint64_t ended)
{
    uint64_t count = ended / WINDOW_NS < WINDOWS ? ended / WINDOW_NS : WINDOWS, fewest = UINT32_MAX;
    for (uint64_t at = 0; at < count; at++)
        if (windows[at] < fewest)
            fewest = windows[at];
    return count ? fewest * (SECOND / WINDOW_NS) : 0;
}

static double microseconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e3;
}

static void tell(uint64_t ended)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"slowest_rate\": %llu, ", (unsigned long long)slowest_rate(ended));
    printf("\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f,\n",
        (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)(sent - answered),
        (double)ended / 1e9, cpu);
    printf(" \"late_sends\": %llu, \"lateness_us\": {\"p99\": %.1f, \"max\": %.1f},\n", (unsigned long long)late,
        microseconds(percentile(&lateness, 0.99)), microseconds(lateness.largest));
    printf(" \"latency_us\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f},\n",
        microseconds(percentile(&latencies, 0.5)), microseconds(percentile(&latencies, 0.9)),
        microseconds(percentile(&latencies, 0.99)), microseconds(percentile(&latencies, 0.999)),
        microseconds(latencies.largest));
    printf(" \"sent_octets\": %llu, \"octets\": %llu, \"truncated\": %llu,\n", (unsigned long long)sent_octets,
        (unsigned long long)octets, (unsigned long long)truncated);
    printf(" \"own_drops\": %llu, \"strange\": %llu, \"rcodes\": {", (unsigned long long)own_drops(),
        (unsigned long long)strange);
    const char *comma = "";
    for (int rcode = 0; rcode < RCODES; rcode++)
        if (rcodes[rcode]) {
            printf("%s\"%d\": %llu", comma, rcode, (unsigned long long)rcodes[rcode]);
            comma = ", ";
        }
    printf("}}\n");
}

static uint64_t number(const char *option, const char *text, double factor)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0))
        die(option, "must be a number");
    return (uint64_t)(value * factor);
}

int main(int count, char **words)
{
    static const struct option options[] = {{"rate", 1, 0, 'r'}, {"seconds", 1, 0, 's'}, {"total", 1, 0, 't'},
        {"sockets", 1, 0, 'n'}, {"patience", 1, 0, 'p'}, {"outstanding", 1, 0, 'o'}, {"unique", 1, 0, 'u'}, {"source", 1, 0, 'a'}, {0}};
    uint64_t seconds = 0;
    int at, option;
    while ((option = getopt_long(count, words, "", options, &at)) != -1)
        switch (option) {
        case 'r': plan.rate = number("--rate", optarg, 1); break;
        case 's': seconds = number("--seconds", optarg, 1e9); break;
        case 't': plan.total = number("--total", optarg, 1); break;
        case 'n': plan.sockets = (int)number("--sockets", optarg, 1); break;
        case 'p': plan.patience = number("--patience", optarg, 1e6); break;
        case 'o': plan.outstanding = number("--outstanding", optarg, 1); break;
        case 'u': plan.unique = 1; plan.first = number("--unique", optarg, 1); break;
        case 'a': plan.source = optarg; break;
        default: return 2;
        }
    if (count - optind != 3 || !plan.rate || plan.sockets < 1 || !(seconds || plan.total))
        die("usage", "openloop [OPTIONS] HOST PORT FILE, with --seconds or --total");
    if (!plan.total)
        plan.total = (uint64_t)((unsigned __int128)plan.rate * seconds / SECOND);
    read_packets(words[optind + 2]);
    open_ports(words[optind], words[optind + 1]);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    signal(SIGTERM, end_schedule);
    tell(run(seconds));
    return 0;
}
