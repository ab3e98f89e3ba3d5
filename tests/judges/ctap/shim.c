/*
 * Preloaded into libfido2's tools: one path stands for an authenticator that
 * is no file. Opening it connects to the judge, which speaks for our pipe.
 *
 *   CABLECAR_SHIM_PATH    the path that is opened, such as /dev/cablecar-ctap
 *   CABLECAR_SHIM_SOCKET  the judge's socket, a packet of 64 bytes a report
 *
 * To its reader the socket looks like a hidraw device: a character device,
 * with the report descriptor of a FIDO authenticator, that can be locked.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/hidraw.h>

#define MOST 1024

/* FIDO's usage page f1d0, usage 1; input and output reports of 64 bytes. */
static const unsigned char DESCRIPTOR[] = {
    0x06, 0xd0, 0xf1, 0x09, 0x01, 0xa1, 0x01, 0x09, 0x20, 0x15, 0x00, 0x26,
    0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x81, 0x02, 0x09, 0x21, 0x15, 0x00,
    0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x91, 0x02, 0xc0,
};

/* Which descriptors are ours. */
static char ours[MOST];

static int is_ours(int fd) { return fd >= 0 && fd < MOST && ours[fd]; }

static int is_the_path(const char *path) {
    const char *wanted = getenv("CABLECAR_SHIM_PATH");
    return wanted != NULL && path != NULL && strcmp(wanted, path) == 0;
}

static int connected(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("CABLECAR_SHIM_SOCKET");
    int fd;

    if (path == NULL || strlen(path) >= sizeof(address.sun_path)) {
        errno = ENXIO;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd == -1) return -1;
    if (fd >= MOST || connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
        close(fd);
        errno = ENXIO;
        return -1;
    }
    ours[fd] = 1;
    return fd;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether there is a third argument, as open(2) says. */
#define MODE(flags, mode)                                                      \
    do {                                                                       \
        va_list list;                                                          \
        va_start(list, flags);                                                 \
        if ((flags) & (O_CREAT | __O_TMPFILE)) mode = va_arg(list, mode_t);    \
        va_end(list);                                                          \
    } while (0)

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    MODE(flags, mode);
    return is_the_path(path) ? connected() : NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    MODE(flags, mode);
    return is_the_path(path) ? connected() : NEXT(open64)(path, flags, mode);
}

/* What open(2) becomes where the compiler checks its arguments. */
int __open_2(const char *path, int flags) {
    return is_the_path(path) ? connected() : NEXT(open)(path, flags);
}

int __open64_2(const char *path, int flags) {
    return is_the_path(path) ? connected() : NEXT(open64)(path, flags);
}

int close(int fd) {
    if (is_ours(fd)) ours[fd] = 0;
    return NEXT(close)(fd);
}

int fstat(int fd, struct stat *status) {
    int result = NEXT(fstat)(fd, status);
    if (result == 0 && is_ours(fd)) status->st_mode = S_IFCHR | 0600;
    return result;
}

int fstat64(int fd, struct stat64 *status) {
    int result = NEXT(fstat64)(fd, status);
    if (result == 0 && is_ours(fd)) status->st_mode = S_IFCHR | 0600;
    return result;
}

int flock(int fd, int operation) {
    return is_ours(fd) ? 0 : NEXT(flock)(fd, operation);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    void *argument;

    va_start(list, request);
    argument = va_arg(list, void *);
    va_end(list);
    if (!is_ours(fd)) return NEXT(ioctl)(fd, request, argument);
    /* The upper half of the number may be a sign. */
    if ((unsigned)request == (unsigned)HIDIOCGRDESCSIZE) {
        *(int *)argument = sizeof(DESCRIPTOR);
        return 0;
    }
    if ((unsigned)request == (unsigned)HIDIOCGRDESC) {
        struct hidraw_report_descriptor *report = argument;
        report->size = sizeof(DESCRIPTOR);
        memcpy(report->value, DESCRIPTOR, sizeof(DESCRIPTOR));
        return 0;
    }
    errno = ENOTTY;
    return -1;
}
