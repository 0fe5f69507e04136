/*  records.c - values parted by a delimiter, read from a file as they come */

#include "cli/records.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

#define CHUNK 65536

/*  One character of a delimiter: moves *text on. -1: it is none. */
static int
delimiter_char (const char **text)
{
    const char *at = *text;
    if (*at != '\\' || !at[1]) {
        *text = at + 1;
        return (unsigned char) *at;
    }
    static const char letters[] = "abfnrtv\\0", codes[] = "\a\b\f\n\r\t\v\\";
    at++;
    int value = 0, digits = 0;
    if (*at == 'x') {
        for (at++; digits < 2 && *at && strchr ("0123456789abcdefABCDEF", *at); at++, digits++)
            value = value * 16 + (*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
        *text = at;
        return digits ? value : -1;
    }
    for (; digits < 3 && *at >= '0' && *at <= '7'; at++, digits++)
        value = value * 8 + (*at - '0');
    if (digits) {
        *text = at;
        return value <= 255 ? value : -1;
    }
    const char *letter = strchr (letters, *at);
    *text = at + 1;
    return letter ? (unsigned char) codes[letter - letters] : -1;
}

int
records_delimiter (const char *text, char *delimiter, size_t *size)
{
    const char *at = text;
    *size = 0;
    while (*at) {
        int c = delimiter_char (&at);
        if (c < 0)
            return error_set (WEFT_EINVAL, "delimiter '%s': no such escape; there are \\n \\t \\r \\0 \\xHH \\\\",
                              text);
        if (*size == sizeof ((struct records *) 0)->delimiter)
            return error_set (WEFT_EINVAL, "delimiter '%s' is longer than 16 bytes", text);
        delimiter[(*size)++] = (char) c;
    }
    if (*size == 0)             /*  as xargs: an empty one means NUL */
        delimiter[(*size)++] = '\0';
    return 0;
}

int
records_open (struct records *self, const char *path, int in, const char *delimiter, size_t delimiter_size)
{
    *self = (struct records){ .fd = in, .name = "standard input", .delimiter_size = delimiter_size };
    memcpy (self->delimiter, delimiter, delimiter_size);
    buffer_init (&self->in, RECORDS_VALUE_MAX + 2 * CHUNK);
    if (strcmp (path, "-") != 0) {
        self->name = path;
        self->fd = open (path, O_RDONLY | O_CLOEXEC);
        if (self->fd < 0)
            return error_errno ("cannot read %s", path);
        self->owned = true;
    }
    struct stat status;
    if (fstat (self->fd, &status) < 0)
        return error_errno ("cannot read %s", self->name);
    if (S_ISDIR (status.st_mode))
        return error_set (WEFT_EINVAL, "cannot read %s: it is a directory", self->name);
    return 0;
}

void
records_close (struct records *self)
{
    if (self->owned)
        close (self->fd);
    self->owned = false;
    buffer_free (&self->in);
}

/*  1: bytes were added or the end was reached; 0: none yet. */
static int
records_read (struct records *self)
{
    struct pollfd ready = { .fd = self->fd, .events = POLLIN };
    if (poll (&ready, 1, 0) == 0)
        return 0;
    char *space = buffer_reserve (&self->in, CHUNK);
    if (!space)
        return WEFT_ENOMEM;
    ssize_t got = read (self->fd, space, CHUNK);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : error_errno ("cannot read %s", self->name);
    if (got == 0)
        self->end = true;
    buffer_wrote (&self->in, (size_t) got);
    return 1;
}

/*  Hands out the first `size` bytes, which `used` bytes of the buffer stand for. */
static int
records_take (struct records *self, size_t size, size_t used, char **value, size_t *value_size)
{
    self->number++;
    self->taken = used;
    self->scanned = 0;
    *value = buffer_data (&self->in);
    *value_size = size;
    (*value)[size] = '\0';
    if (memchr (*value, 0, size))
        return error_set (WEFT_EPROTO, "value %llu of %s holds a NUL byte; use -0 when values end with NUL",
                          (unsigned long long) self->number, self->name);
    return 1;
}

int
records_next (struct records *self, char **value, size_t *value_size)
{
    buffer_consume (&self->in, self->taken);
    self->taken = 0;
    while (true) {
        char *data = buffer_data (&self->in);
        size_t size = buffer_size (&self->in);
        char *at = size ? memmem (data + self->scanned, size - self->scanned, self->delimiter, self->delimiter_size)
                        : NULL;
        size_t length = at ? (size_t) (at - data) : size;
        if (length > RECORDS_VALUE_MAX)
            return error_set (WEFT_ETOOBIG, "value %llu of %s is longer than 1 MiB",
                              (unsigned long long) self->number + 1, self->name);
        if (at)
            return records_take (self, length, length + self->delimiter_size, value, value_size);
        if (self->end) {
            if (size == 0)
                return WEFT_EEND;
            if (buffer_terminate (&self->in) < 0)
                return WEFT_ENOMEM;
            return records_take (self, size, size, value, value_size);
        }
        /*  A delimiter of several bytes may have begun. */
        self->scanned = size >= self->delimiter_size ? size - (self->delimiter_size - 1) : 0;
        int rc = records_read (self);
        if (rc != 1)
            return rc;
    }
}

bool
records_count (const struct records *self, uint64_t *count)
{
    struct stat status;
    off_t at = lseek (self->fd, 0, SEEK_CUR);
    if (at < 0 || fstat (self->fd, &status) < 0 || !S_ISREG (status.st_mode) || self->delimiter_size != 1)
        return false;
    *count = 0;
    char chunk[CHUNK], last = self->delimiter[0];
    ssize_t got;
    while ((got = pread (self->fd, chunk, sizeof chunk, at)) > 0) {
        for (char *c = chunk; (c = memchr (c, self->delimiter[0], (size_t) (chunk + got - c))); c++)
            ++*count;
        last = chunk[got - 1];
        at += got;
    }
    if (last != self->delimiter[0])
        ++*count;
    return got == 0;
}
