/*  http_static.c - files below --root
 *
 *  A path is walked name by name from the root's descriptor, and no link is followed: so nothing outside can be
 *  reached, whatever the path says and whatever changes meanwhile. What begins with a dot is not there. Files go out
 *  piece by piece, as their readers take them. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/http_parts.h"
#include "core/error.h"

#define PIECE (64 << 10)
#define TURN 16                         /*  pieces, before others have their turn               */

static const struct {
    const char *ending, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" }, { ".htm", "text/html; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
    { ".mjs", "text/javascript; charset=utf-8" }, { ".json", "application/json" },
    { ".txt", "text/plain; charset=utf-8" }, { ".md", "text/plain; charset=utf-8" },
    { ".csv", "text/csv; charset=utf-8" }, { ".xml", "application/xml" }, { ".svg", "image/svg+xml" },
    { ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".gif", "image/gif" },
    { ".webp", "image/webp" }, { ".ico", "image/x-icon" }, { ".pdf", "application/pdf" },
    { ".wasm", "application/wasm" }, { ".woff2", "font/woff2" }, { ".mp4", "video/mp4" }, { ".mp3", "audio/mpeg" }
};

int
http_static_init (struct http_config *config)
{
    if (!config->root)
        return 0;
    config->root_fd = open (config->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return config->root_fd >= 0 ? 0 : error_errno ("root %s", config->root);
}

void
http_static_fini (struct http_config *config)
{
    if (config->root_fd >= 0)
        close (config->root_fd);
    config->root_fd = -1;
}

void
http_static_end (struct http_peer *self)
{
    if (self->file >= 0)
        close (self->file);
    self->file = -1;
}

/* --------------------------------------------------------------------------- finding */

/*  One name further; the descriptor before is closed, if it is not the root. Negative, with errno: there is no such. */
static int
step (int root, int folder, const char *name)
{
    int next = *name == '.' ? -1 : openat (folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int number = *name == '.' ? ENOENT : errno;
    if (folder != root)
        close (folder);
    errno = number;
    return next;
}

/*  The file or folder at this decoded path; negative, with errno: none, or none of those that are given away. */
static int
walk (int root, char *path)
{
    int at = root;
    char *save = NULL;
    for (char *name = strtok_r (path, "/", &save); name; name = strtok_r (NULL, "/", &save)) {
        int next = step (root, at, name);
        if (next < 0)
            return -1;
        at = next;
    }
    return at == root ? openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : at;
}

static const char *
type_of (const char *path)
{
    const char *ending = strrchr (path, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp (ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/*  The path without percents, ending with a NUL; false: it can be no file's. */
static bool
plain_path (struct http_text path, char *plain)
{
    int64_t size = http_decode (path, false, plain);
    if (size < 0 || memchr (plain, '\0', (size_t) size))
        return false;
    plain[size] = '\0';
    return true;
}

/* ------------------------------------------------------------------------ answering */

struct found {
    int fd;
    struct stat stat;
    const char *type;
    char tag[80], date[HTTP_DATE_SIZE];
};

/*  What its reader has already is not sent again. */
static bool
is_known (const struct http_request *request, const struct found *found)
{
    struct http_text tag = http_find_header (request->headers, request->header_count, "if-none-match");
    struct http_text since = http_find_header (request->headers, request->header_count, "if-modified-since");
    if (tag.data)
        return http_header_has (request->headers, request->header_count, "if-none-match", found->tag)
               || http_text_is (tag, "*");
    time_t when = since.data ? http_date_read (since) : -1;
    return when != -1 && found->stat.st_mtime <= when;
}

static bool
take_number (const char **at, const char *end, int64_t *value)
{
    const char *from = *at;
    *value = 0;
    for (; *at < end && **at >= '0' && **at <= '9' && *at - from < 18; ++*at)
        *value = *value * 10 + (**at - '0');
    return *at > from;
}

/*  One range "bytes=from-to"; false: all of it is sent. An empty range, *from == *end: it cannot be. */
static bool
find_range (const struct http_request *request, const struct found *found, int64_t *from, int64_t *end)
{
    struct http_text range = http_find_header (request->headers, request->header_count, "range");
    struct http_text unless = http_find_header (request->headers, request->header_count, "if-range");
    int64_t size = found->stat.st_size, first, last;
    if (range.size < 7 || strncasecmp (range.data, "bytes=", 6) != 0
        || (unless.data && !http_text_is (unless, found->tag)))
        return false;
    const char *at = range.data + 6, *stop = range.data + range.size;
    bool begins = take_number (&at, stop, &first);
    if (at == stop || *at++ != '-')
        return false;
    bool ends = take_number (&at, stop, &last);
    if (at != stop || (!begins && !ends) || (begins && ends && last < first))
        return false;
    *from = begins ? first : last < size ? size - last : 0;
    *end = begins && ends && last < size ? last + 1 : size;
    if (*from >= *end)
        *from = *end = 0;
    return true;
}

/*  The head, and then the file by http_static_more. The descriptor is the peer's. */
static int
send_file (struct bridge_peer *peer, const struct http_request *request, struct found *found)
{
    struct http_peer *self = bridge_peer_state (peer);
    struct http_header headers[5];
    char part[80];
    size_t count = 0;
    int64_t from = 0, end = found->stat.st_size;
    bool known = is_known (request, found), ranged = !known && find_range (request, found, &from, &end);
    bool none = ranged && from == end;
    if (none)
        snprintf (part, sizeof part, "bytes */%" PRId64, (int64_t) found->stat.st_size);
    else
        snprintf (part, sizeof part, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from, end - 1,
                  (int64_t) found->stat.st_size);
    http_add_header (headers, &count, "ETag", found->tag);
    http_add_header (headers, &count, "Last-Modified", found->date);
    http_add_header (headers, &count, "Accept-Ranges", "bytes");
    http_add_header (headers, &count, "Cache-Control", "no-cache");
    if (ranged)
        http_add_header (headers, &count, "Content-Range", part);
    const struct http_answer answer = { .status = known ? 304 : none ? 416 : ranged ? 206 : 200,
                                        .type = known || none ? NULL : found->type, .headers = headers,
                                        .header_count = count, .size = (size_t) (end - from) };
    int rc = http_answer (peer, &answer);
    if (rc || known || self->head || from == end) {
        close (found->fd);
        if (rc == 0)
            http_answered (peer);
        return rc;
    }
    self->file = found->fd;
    self->at = from;
    self->end = end;
    self->stage = HTTP_SENDS;
    bridge_hold (peer);
    http_static_more (peer);
    return 0;
}

/*  So that what is beside a folder's index is found from it. */
static int
add_slash (struct bridge_peer *peer, const struct http_request *request)
{
    char place[HTTP_TARGET_MAX + 2];
    int size = snprintf (place, sizeof place, "%.*s/", (int) request->path.size, request->path.data);
    const struct http_header location = { { "Location", 8 }, { place, (size_t) size } };
    if (size > 1 && place[1] == '/')                    /*  "//host/" would lead elsewhere */
        return http_say (peer, 404, NULL, "there is no such file");
    return http_say (peer, 301, &location, "it is a folder");
}

int
http_static_answer (struct bridge_peer *peer, const struct http_request *request, struct http_text path)
{
    const struct http_config *config = bridge_adapter_config (peer);
    char plain[HTTP_TARGET_MAX + 16];
    struct found found;
    if (!plain_path (path, plain))
        return http_say (peer, 400, NULL, "a path that no file can have");
    bool folder = path.size == 0 || path.data[path.size - 1] == '/';
    if (folder)
        strcat (plain, "/index.html");
    found.type = type_of (plain);
    found.fd = walk (config->root_fd, plain);
    bool there = found.fd >= 0 && fstat (found.fd, &found.stat) == 0;
    if (there && S_ISDIR (found.stat.st_mode) && !folder) {
        close (found.fd);
        return add_slash (peer, request);
    }
    if (!there || !S_ISREG (found.stat.st_mode)) {
        bool full = found.fd < 0 && (errno == EMFILE || errno == ENFILE);
        if (found.fd >= 0)
            close (found.fd);
        return full ? http_say (peer, 503, NULL, "too many files are open")
                    : http_say (peer, 404, NULL, "there is no such file");
    }
    snprintf (found.tag, sizeof found.tag, "\"%" PRIx64 "-%" PRIx64 ".%lx-%" PRIx64 "\"",
              (uint64_t) found.stat.st_ino, (uint64_t) found.stat.st_mtim.tv_sec, found.stat.st_mtim.tv_nsec,
              (uint64_t) found.stat.st_size);
    http_date_write (found.stat.st_mtime, found.date);
    return send_file (peer, request, &found);
}

/* --------------------------------------------------------------------------- sending */

/*  0; WEFT_EAGAIN: the connection has no room; or the file is shorter than it was. */
static int
send_piece (struct bridge_peer *peer, struct http_peer *self)
{
    struct buffer *out = &((struct http_config *) bridge_adapter_config (peer))->out;
    size_t want = self->end - self->at < PIECE ? (size_t) (self->end - self->at) : PIECE;
    buffer_clear (out);
    char *piece = buffer_reserve (out, want);
    ssize_t count = piece ? pread (self->file, piece, want, self->at) : 0;
    if (count <= 0)
        return WEFT_EIO;
    const struct stream_part part = { piece, (size_t) count };
    int rc = bridge_write (peer, &part, 1);
    self->at += rc ? 0 : count;
    return rc;
}

void
http_static_more (struct bridge_peer *peer)
{
    struct http_peer *self = bridge_peer_state (peer);
    int rc = 0;
    for (int i = 0; i < TURN && rc == 0 && self->at < self->end; i++)
        rc = send_piece (peer, self);
    if (rc == WEFT_EAGAIN)
        return;
    if (rc == 0 && self->at < self->end) {
        bridge_set_timer (peer, bridge_now (peer));     /*  in the next round */
        return;
    }
    http_static_end (self);
    self->keep_alive = self->keep_alive && rc == 0;     /*  cut short: its reader sees that by the length */
    http_answered (peer);
}
