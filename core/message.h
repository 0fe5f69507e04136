/*  message.h - what weft_msg_t is inside
 *
 *  A frame of up to FRAME_INLINE bytes is stored in place. A larger one belongs
 *  to a frame owner, whose handle (a zmq_msg_t, or a pointer and a count) sits in
 *  the same place. So a message is moved with memcpy, and an engine of the wire
 *  can keep its own kind of body in it without anybody above knowing. */

#ifndef WEFT_CORE_MESSAGE_H
#define WEFT_CORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "weft.h"

#define FRAME_INLINE 64
#define MESSAGE_INLINE 4        /*  frames that need no allocation */

struct frame;

/*  Who owns the body of a frame. Each keeps its handle in frame->store and
 *  sets frame->data and frame->size. */
struct frame_owner {
    const char *name;
    int (*alloc) (struct frame *self, size_t size);                         /*  an unshared body; WEFT_ENOMEM */
    int (*share) (struct frame *self, struct frame *source);                /*  one more reference; thread-safe count */
    int (*wrap) (struct frame *self, void *data, size_t size, weft_release_fn *release, void *hint);
                                                                            /*  a body of the user's */
    void (*release) (struct frame *self);                                   /*  one reference less */
};

struct frame {
    unsigned char *data;                /*  NULL: inline, in store  */
    size_t size;
    const struct frame_owner *owner;    /*  NULL: inline            */
    union {
        unsigned char bytes[FRAME_INLINE];
        void *align;
    } store;
};

struct message {
    struct frame *frames;               /*  == inlined, or on the heap; NULL when empty         */
    uint32_t count, capacity;
    struct frame inlined[MESSAGE_INLINE];
    size_t reserved;
};

_Static_assert (sizeof (struct message) <= sizeof (weft_msg_t), "weft_msg_t must hold a struct message");

static inline struct message *
message_of (const weft_msg_t *msg)
{
    return (struct message *) (uintptr_t) msg;
}

static inline unsigned char *
frame_data (const struct frame *self)
{
    return self->owner ? self->data : (unsigned char *) (uintptr_t) self->store.bytes;
}

static inline void
frame_release (struct frame *self)
{
    if (self->owner)
        self->owner->release (self);
    self->owner = NULL;
    self->size = 0;
}

/*  A frame of `size` bytes at the end, not filled: inline when it fits, else from
 *  the owner that suits the engine of this build. NULL with the reason kept. */
struct frame *message_append (struct message *self, size_t size);

/*  The same at the front. */
struct frame *message_prepend (struct message *self, size_t size);

/*  An empty slot at the end for an engine that will fill owner and store itself. */
struct frame *message_append_slot (struct message *self);

void message_truncate (struct message *self, size_t count);

/*  dst gets the frames [first, count) of src, which loses them. */
int message_take (weft_msg_t *dst, weft_msg_t *src, size_t first);

/*  The owner for bodies that we allocate ourselves; defined with the engine. */
extern const struct frame_owner *const frame_owner_standard;

#endif
