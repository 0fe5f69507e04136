/*  test_udp.c - the conformance suite over UDP, as far as it is about datagrams */

#include "tests/conformance.h"

static void
write_plain (struct buffer *out, enum adapter_mode mode, const void *data, size_t size)
{
    (void) mode;
    buffer_add (out, data, size);
}

/*  A client reads one at a time. */
static long
read_plain (struct buffer *in, const char **data, size_t *used)
{
    *data = buffer_data (in);
    *used = buffer_size (in);
    return (long) buffer_size (in);
}

static const struct conformance four = { .adapter = "udp", .options = "separator=,", .write = write_plain,
                                         .read = read_plain, .outwards = MODE_PULL, .datagram = true };

int
main (void)
{
    return conformance_run ("udp", &four);
}
