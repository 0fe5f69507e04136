/*  test_tcp.c - the conformance suite of byte streams: over plain TCP, in a framing by delimiter and one by length, in
 *  TLS, and over a Unix socket */

#include "tests/conformance.h"
#include "tests/folder.h"

static void
write_line (struct buffer *out, enum adapter_mode mode, const void *data, size_t size)
{
    (void) mode;
    buffer_add (out, data, size);
    buffer_add (out, "\n", 1);
}

static long
read_line (struct buffer *in, const char **data, size_t *used)
{
    const char *end = memchr (buffer_data (in), '\n', buffer_size (in));
    *data = buffer_data (in);
    *used = end ? (size_t) (end - *data) + 1 : 0;
    return end ? end - *data : -1;
}

static void
write_len16 (struct buffer *out, enum adapter_mode mode, const void *data, size_t size)
{
    const unsigned char head[] = { (unsigned char) (size >> 8), (unsigned char) size };
    (void) mode;
    buffer_add (out, head, sizeof head);
    buffer_add (out, data, size);
}

static long
read_len16 (struct buffer *in, const char **data, size_t *used)
{
    const unsigned char *bytes = (const unsigned char *) buffer_data (in);
    size_t size = buffer_size (in) < 2 ? 0 : (size_t) bytes[0] << 8 | bytes[1];
    *data = buffer_data (in) + 2;
    *used = size + 2;
    return buffer_size (in) < size + 2 ? -1 : (long) size;
}

static const struct conformance line = { .adapter = "tcp", .options = "framing=line", .write = write_line,
                                         .read = read_line, .outwards = MODE_PULL };
static const struct conformance len16 = { .adapter = "tcp", .options = "framing=len16", .write = write_len16,
                                          .read = read_len16, .outwards = MODE_PULL };

static int
run_over_a_path (void)
{
    char listen[128];
    folder_make (NULL);
    snprintf (listen, sizeof listen, "unix:%s", folder_path ("socket"));
    struct conformance local = len16;       /*  a reset is as an end here, after which a part of a line is one */
    local.listen = listen;
    int failed = conformance_run ("tcp, len16, over a Unix socket", &local);
    failed += folder_remove_empty () != 0;
    return failed;
}

int
main (void)
{
    int failed = conformance_run ("tcp, line", &line);
    failed += conformance_run ("tcp, len16", &len16);
    failed += conformance_run_tls ("tcp, line, in TLS", &line);
    return failed + run_over_a_path ();
}
