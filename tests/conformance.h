/*  conformance.h - what every adapter has to keep, through the contract: adapters/adapter.h
 *
 *  The suite runs a whole bridge, with plain sockets on one side and sockets of the fabric on the other. It has to
 *  know of a protocol only how a message is written in it, and how one is read. A client takes part in one mode:
 *  MODE_PUSH, MODE_REQ, or that by which messages come to it. */
#ifndef WEFT_TESTS_CONFORMANCE_H
#define WEFT_TESTS_CONFORMANCE_H

#include "adapters/adapter.h"
#include "core/buffer.h"
#include "tests/testing.h"

/*  What may be at the front of what a client got, beside a message of so many bytes. */
enum { READ_MORE = -1, READ_TAKEN = -2, READ_REFUSED = -3 };

struct conformance {
    const char *adapter, *options;      /*  its own options as "name=value name=value"                      */

    /*  Adds the message to `out` as a client sends it to MODE_PUSH or MODE_REQ. */
    void (*write) (struct buffer *out, enum adapter_mode mode, const void *data, size_t size);

    /*  Takes the next message that a client got from the front of `in`: its size, with *data, and how many bytes it
     *  takes in *used. READ_MORE: it is not all there. READ_TAKEN: the fabric has a message of MODE_PUSH; READ_REFUSED:
     *  it has not, or messages for the client were lost. */
    long (*read) (struct buffer *in, const char **data, size_t *used);

    /*  What a client of this mode says first, which an empty line answers; NULL: nothing. */
    const char *(*hello) (enum adapter_mode mode);

    enum adapter_mode outwards;         /*  MODE_PULL, or MODE_SUB                                          */
    bool acknowledges;                  /*  each message of MODE_PUSH is answered, by READ_TAKEN say        */
    const char *listen;                 /*  where; NULL: any port of 127.0.0.1                              */
    const char *ca;                     /*  the options are for TLS: whom clients trust; NULL: clear text   */
    bool datagram;                      /*  each message is one, and a client sees no end                   */
};

/*  Runs the cases that this protocol has to keep, and says of each other why it has not. Returns how many failed. */
int conformance_run (const char *name, const struct conformance *protocol);

/*  The same in TLS, with a certificate that is made for it. */
int conformance_run_tls (const char *name, const struct conformance *protocol);

#endif
