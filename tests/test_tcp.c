/*  test_tcp.c - the conformance suite over plain TCP, in a framing by delimiter and one by length */

#include "tests/conformance.h"

static void
write_line (struct buffer *out, const void *data, size_t size)
{
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
write_len16 (struct buffer *out, const void *data, size_t size)
{
    const unsigned char head[] = { (unsigned char) (size >> 8), (unsigned char) size };
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

static const struct conformance line = { "tcp", "framing=line", write_line, read_line };
static const struct conformance len16 = { "tcp", "framing=len16", write_len16, read_len16 };

static int
run_suite (const char *name, const struct conformance *kind)
{
    how = kind;
    return _cmocka_run_group_tests (name, conformance_tests, CONFORMANCE_TESTS, NULL, NULL);
}

int
main (void)
{
    int failed = run_suite ("tcp, line", &line);
    return failed + run_suite ("tcp, len16", &len16);
}
