/*  conformance.h - what every adapter has to keep, through the contract: adapters/adapter.h
 *
 *  The suite runs a whole bridge, with plain sockets on one side and sockets of the fabric on the other. It has to
 *  know of a protocol only how a message is written in it, and how one is read. */
#ifndef WEFT_TESTS_CONFORMANCE_H
#define WEFT_TESTS_CONFORMANCE_H

#include "core/buffer.h"
#include "tests/testing.h"

struct conformance {
    const char *adapter, *options;      /*  its own options as "name=value name=value"                      */

    /*  Adds the message to `out` as a client sends it. */
    void (*write) (struct buffer *out, const void *data, size_t size);

    /*  Takes the next message that a client got from the front of `in`: its size, with *data, and how many bytes it
     *  takes in *used; -1: more are needed. */
    long (*read) (struct buffer *in, const char **data, size_t *used);

    const char *hello;                  /*  what a client says first, which an empty line answers; or NULL  */
    const char *listen;                 /*  where; NULL: any port of 127.0.0.1                              */
    const char *ca;                     /*  the options are for TLS: whom clients trust; NULL: clear text   */
    bool datagram;                      /*  each message is one, and a client sees no end                   */
};

/*  Runs the cases that this protocol has to keep, and says of each other why it has not. Returns how many failed. */
int conformance_run (const char *name, const struct conformance *protocol);

#endif
