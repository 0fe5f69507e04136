/*  fuzz_pool_wire.c - any bytes as a message of the pool: taken apart to the last member */

#include <stdint.h>
#include <stdlib.h>

#include "codec/pool_command.h"
#include "codec/pool_wire.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/*  Touches every byte that a member points at. */
static unsigned
sum (struct pool_bytes bytes)
{
    unsigned total = 0;
    for (size_t i = 0; i < bytes.size; i++)
        total += (unsigned char) bytes.data[i];
    return total;
}

static unsigned
take_spec (struct pool_bytes bytes)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    struct pool_bytes argument;
    if (pool_get_spec (&spec, bytes, &arguments))
        return 0;
    unsigned total = sum (spec.command) + sum (spec.input) + sum (spec.mark);
    struct buffer shown;
    buffer_init (&shown, 0);
    if (command_render (&shown, bytes.data, bytes.size) == 0)
        total += sum ((struct pool_bytes) { buffer_data (&shown), buffer_size (&shown) });
    if (spec.message && buffer_size (&shown) > COMMAND_SHOWN + 1)
        abort ();
    buffer_free (&shown);
    for (size_t i = 0; i < spec.argc && pool_next_argument (&arguments, &argument) == 1; i++)
        total += sum (argument);
    return total;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    struct pool_message message;
    struct pool_record record;
    struct pool_bytes spec;
    uint64_t id, members = 0;
    int64_t attempt;
    unsigned total = 0;
    if (pool_decode (&message, data, size))
        return 0;
    bool begun;
    if (message.verb == POOL_HELLO)
        total += sum (message.hello.name) + sum (message.hello.host) + sum (message.hello.pool);
    for (; message.verb == POOL_HELLO && pool_next_held (&message, &id, &attempt, &begun) == 1; members++)
        total += (unsigned) id + begun;
    if (message.verb == POOL_WELCOME)
        total += sum (message.welcome.pool);
    if (message.verb == POOL_REFUSED)
        total += sum (message.text);
    for (; message.verb == POOL_JOBS && pool_next_job (&message, &id, &attempt, &spec) == 1; members++)
        total += take_spec (spec);
    for (; message.verb == POOL_REPORT && pool_next_record (&message, &record) == 1; members++)
        total += sum (record.data) + sum (record.command) + sum (record.name) + sum (record.host);
    for (; message.verb == POOL_CANCEL && pool_next_cancelled (&message, &id, &attempt) == 1; members++)
        total += (unsigned) id;
    if (members > size)
        abort ();
    static volatile unsigned sink;
    sink = total;
    (void) sink;
    return 0;
}
