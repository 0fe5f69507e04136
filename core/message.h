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
#include <stdlib.h>
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

/*  More room for frames than there is. WEFT_ETOOBIG, WEFT_ENOMEM. */
int message_grow (struct message *self);

/*  An empty slot at the end for an engine that will fill owner and store itself;
 *  NULL with the reason kept. */
static inline struct frame *
message_append_slot (struct message *self)
{
    if (self->count == 0 && self->capacity <= MESSAGE_INLINE) {
        self->frames = self->inlined;
        self->capacity = MESSAGE_INLINE;
    } else if (self->count == self->capacity && message_grow (self))
        return NULL;
    struct frame *frame = &self->frames[self->count++];
    frame->owner = NULL;
    frame->size = 0;
    return frame;
}

/*  memcpy, which makes no call for small bodies but the smallest: by two runs of moves that overlap. */
static inline __attribute__ ((always_inline)) void
frame_copy (void *to_data, const void *from_data, size_t size)
{
    typedef char block __attribute__ ((vector_size (16), aligned (1), may_alias));
    enum { STEP = sizeof (block) };
    const char *from = from_data;
    char *to = to_data;
    if (size < STEP || size > 4 * STEP) {
        memcpy (to, from, size);
        return;
    }
    block first = *(const block *) from, last = *(const block *) (from + size - STEP);
    if (size > 2 * STEP) {
        block second = *(const block *) (from + STEP), third = *(const block *) (from + size - 2 * STEP);
        *(block *) (to + STEP) = second;
        *(block *) (to + size - 2 * STEP) = third;
    }
    *(block *) to = first;
    *(block *) (to + size - STEP) = last;
}

/*  Is it nothing but one frame that is stored in place? Then nothing is to be freed. */
static inline bool
message_small (const struct message *self)
{
    return self->count == 1 && self->capacity == MESSAGE_INLINE && !self->inlined->owner;
}

/*  Of a message that owns nothing: empty, small, or moved away. */
static inline void
message_reset (struct message *self)
{
    self->frames = NULL;
    self->count = self->capacity = 0;
}

/*  The one frame of an empty message, to be filled; size is at most FRAME_INLINE. */
static inline struct frame *
message_begin_small (struct message *self, size_t size)
{
    self->frames = self->inlined;
    self->count = 1;
    self->capacity = MESSAGE_INLINE;
    self->inlined->owner = NULL;
    self->inlined->size = size;
    return self->inlined;
}

/*  The part of message_clear that is not for every message. */
void message_free (struct message *self);

/*  weft_msg_clear, for those who do it for every message. */
static inline void
message_clear (struct message *self)
{
    if (message_small (self))
        message_reset (self);
    else if (self->capacity)
        message_free (self);
}

void message_truncate (struct message *self, size_t count);

/*  dst gets the frames [first, count) of src, which loses them. */
int message_take (weft_msg_t *dst, weft_msg_t *src, size_t first);

/*  The owner for bodies that we allocate ourselves; defined with the engine. */
extern const struct frame_owner *const frame_owner_standard;

#endif
