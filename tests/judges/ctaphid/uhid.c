/*
 * The kernel's side of /dev/uhid, where there is none: by the structures of the
 * kernel's own header, so that what our program writes by hand is read by it.
 *
 * As a library, preloaded into the program, it makes opening /dev/uhid a
 * connection to $CABLECAR_UHID_SOCKET. As a program, `uhid PATH`, it waits
 * there. Its standard input is a socket of packets to the hosts: 64 bytes are a
 * report, as on hidraw; one byte is something that happens to the device:
 *
 *   o  the first host opens it    c  the last host closes it
 *   g  a host asks for a feature report    s  a host sets one
 *   w  a host sends its last report again, as a SET_REPORT
 *
 * What the program does is told on standard output, a line each.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/uhid.h>

#define REPORT 64

static int at(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (path == NULL || strlen(path) >= sizeof(address->sun_path)) return -1;
    strcpy(address->sun_path, path);
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* --- the library --- */

static int connected(void) {
    struct sockaddr_un address;
    int fd = at(getenv("CABLECAR_UHID_SOCKET"), &address);
    if (fd == -1 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
        errno = ENXIO;
        return -1;
    }
    return fd;
}

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...) {                              \
        mode_t mode = 0;                                                       \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        if (flags & (O_CREAT | __O_TMPFILE)) mode = va_arg(list, mode_t);      \
        va_end(list);                                                          \
        if (strcmp(path, "/dev/uhid") == 0) return connected();                \
        return ((__typeof__(&name))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

/* --- the program --- */

static int device;

static void tell(const struct uhid_event *event) {
    if (send(device, event, sizeof(*event), 0) != sizeof(*event)) exit(3);
}

static void output(const unsigned char *report) {
    struct uhid_event event = {.type = UHID_OUTPUT};
    /* hidraw hands on the number of the report, which is 0, before it. */
    memcpy(event.u.output.data + 1, report, REPORT);
    event.u.output.size = REPORT + 1;
    event.u.output.rtype = UHID_OUTPUT_REPORT;
    tell(&event);
}

static void happen(char what, const unsigned char *last) {
    struct uhid_event event = {0};
    switch (what) {
    case 'o': event.type = UHID_OPEN; break;
    case 'c': event.type = UHID_CLOSE; break;
    case 'g':
        event.type = UHID_GET_REPORT;
        event.u.get_report.id = 7;
        event.u.get_report.rtype = UHID_FEATURE_REPORT;
        break;
    case 's':
    case 'w':
        event.type = UHID_SET_REPORT;
        event.u.set_report.id = what == 's' ? 8 : 9;
        event.u.set_report.rtype = what == 's' ? UHID_FEATURE_REPORT : UHID_OUTPUT_REPORT;
        event.u.set_report.size = REPORT;
        memcpy(event.u.set_report.data, last, REPORT);
        break;
    default: exit(4);
    }
    tell(&event);
}

/* What the program has written; gives whether the device is still there. */
static int written(void) {
    struct uhid_event event;
    ssize_t size;
    int i;

    /* Short events end in zeros, as the kernel has it. */
    memset(&event, 0, sizeof(event));
    size = recv(device, &event, sizeof(event), 0);
    if (size <= 0) return 0;
    switch (event.type) {
    case UHID_CREATE2:
        printf("create name=%.128s bus=%u vendor=%u product=%u country=%u descriptor=", event.u.create2.name,
               event.u.create2.bus, event.u.create2.vendor, event.u.create2.product, event.u.create2.country);
        for (i = 0; i < event.u.create2.rd_size; i++) printf("%02x", event.u.create2.rd_data[i]);
        printf("\n");
        memset(&event, 0, sizeof(event));
        event.type = UHID_START;
        tell(&event);
        return 1;
    case UHID_INPUT2:
        if (event.u.input2.size != REPORT) exit(5);
        send(0, event.u.input2.data, REPORT, 0);
        return 1;
    case UHID_GET_REPORT_REPLY:
        printf("get-report id=%u err=%u size=%u\n", event.u.get_report_reply.id, event.u.get_report_reply.err,
               event.u.get_report_reply.size);
        return 1;
    case UHID_SET_REPORT_REPLY:
        printf("set-report id=%u err=%u\n", event.u.set_report_reply.id, event.u.set_report_reply.err);
        return 1;
    case UHID_DESTROY:
        printf("destroy\n");
        return 0;
    default:
        printf("event %u\n", event.type);
        exit(6);
    }
}

int main(int count, char **arguments) {
    struct sockaddr_un address;
    unsigned char report[REPORT + 1], last[REPORT] = {0};
    int listener = at(count == 2 ? arguments[1] : NULL, &address);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (listener == -1 || bind(listener, (struct sockaddr *)&address, sizeof(address)) == -1) return 1;
    if (listen(listener, 1) == -1) return 1;
    printf("listening\n");
    device = accept(listener, NULL, NULL);
    for (;;) {
        struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = device, .events = POLLIN}};
        if (poll(both, 2, -1) == -1) return 2;
        if (both[1].revents && !written()) return 0;
        if (both[0].revents) {
            ssize_t size = recv(0, report, sizeof(report), 0);
            if (size <= 0) return 0;
            if (size == 1) {
                happen((char)report[0], last);
            } else {
                memcpy(last, report, REPORT);
                output(report);
            }
        }
    }
}
