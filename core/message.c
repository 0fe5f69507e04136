/*  message.c - weft_msg_t: frames in place, larger bodies by reference */

#include "core/message.h"

#include "core/error.h"

int
message_grow (struct message *self)
{
    if (self->count >= WEFT_MSG_FRAMES_MAX)
        return error_set (WEFT_ETOOBIG, "a message has at most %d frames", WEFT_MSG_FRAMES_MAX);
    uint32_t capacity = self->capacity * 2;
    bool inlined = self->frames == self->inlined;
    struct frame *frames = realloc (inlined ? NULL : self->frames, capacity * sizeof *frames);
    if (!frames)
        return error_plain (WEFT_ENOMEM);
    if (inlined)
        memcpy (frames, self->inlined, self->count * sizeof *frames);
    self->frames = frames;
    self->capacity = capacity;
    return 0;
}

void
message_free (struct message *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (self->frames[i].owner)
            self->frames[i].owner->release (&self->frames[i]);
    if (self->capacity > MESSAGE_INLINE)
        free (self->frames);
    message_reset (self);
}

struct frame *
message_append (struct message *self, size_t size)
{
    struct frame *frame = message_append_slot (self);
    if (!frame)
        return NULL;
    if (size <= FRAME_INLINE)
        frame->size = size;
    else if (frame_owner_standard->alloc (frame, size)) {
        self->count--;
        return NULL;
    }
    return frame;
}

struct frame *
message_prepend (struct message *self, size_t size)
{
    if (!message_append (self, size))
        return NULL;
    struct frame added = self->frames[self->count - 1];
    memmove (self->frames + 1, self->frames, (self->count - 1) * sizeof added);
    self->frames[0] = added;
    return self->frames;
}

void
message_truncate (struct message *self, size_t count)
{
    while (self->count > count)
        frame_release (&self->frames[--self->count]);
}

int
message_take (weft_msg_t *dst, weft_msg_t *src, size_t first)
{
    struct message *to = message_of (dst), *from = message_of (src);
    weft_msg_clear (dst);
    for (size_t i = first; i < from->count; i++) {
        struct frame *frame = message_append_slot (to);
        if (!frame) {
            to->count = 0;          /*  the frames are still those of src */
            return WEFT_ENOMEM;
        }
        *frame = from->frames[i];
    }
    from->count = first < from->count ? (uint32_t) first : from->count;
    return 0;
}

/* -------------------------------------------------------------- public API */

void
weft_msg_init (weft_msg_t *msg)
{
    struct message *self = message_of (msg);
    self->frames = NULL;
    self->count = self->capacity = 0;
}

void
weft_msg_clear (weft_msg_t *msg)
{
    message_clear (message_of (msg));
}

void *
weft_msg_reserve (weft_msg_t *msg, size_t size)
{
    struct frame *frame = message_append (message_of (msg), size);
    return frame ? frame_data (frame) : NULL;
}

static OUT_OF_LINE int
add_any (struct message *self, const void *data, size_t size)
{
    struct frame *frame = message_append (self, size);
    if (!frame)
        return self->count >= WEFT_MSG_FRAMES_MAX ? WEFT_ETOOBIG : WEFT_ENOMEM;
    if (size)
        memcpy (frame_data (frame), data, size);
    return 0;
}

int
weft_msg_add (weft_msg_t *msg, const void *data, size_t size)
{
    struct message *self = message_of (msg);
    if (size - 1 < FRAME_INLINE && self->capacity == 0) {       /*  neither nothing nor large */
        frame_copy (message_begin_small (self, size)->store.bytes, data, size);
        return 0;
    }
    return add_any (self, data, size);
}

int
weft_msg_add_str (weft_msg_t *msg, const char *text)
{
    return weft_msg_add (msg, text, strlen (text));
}

int
weft_msg_add_owned (weft_msg_t *msg, void *data, size_t size, weft_release_fn *release, void *hint)
{
    struct message *self = message_of (msg);
    struct frame *frame = message_append_slot (self);
    if (!frame)
        return self->count >= WEFT_MSG_FRAMES_MAX ? WEFT_ETOOBIG : WEFT_ENOMEM;
    int rc = frame_owner_standard->wrap (frame, data, size, release, hint);
    if (rc)
        self->count--;
    return rc;
}

int
weft_msg_push (weft_msg_t *msg, const void *data, size_t size)
{
    struct frame *frame = message_prepend (message_of (msg), size);
    if (!frame)
        return message_of (msg)->count >= WEFT_MSG_FRAMES_MAX ? WEFT_ETOOBIG : WEFT_ENOMEM;
    if (size)
        memcpy (frame_data (frame), data, size);
    return 0;
}

void
weft_msg_pop (weft_msg_t *msg, size_t count)
{
    struct message *self = message_of (msg);
    if (count > self->count)
        count = self->count;
    for (size_t i = 0; i < count; i++)
        frame_release (&self->frames[i]);
    self->count -= (uint32_t) count;
    if (count)
        memmove (self->frames, self->frames + count, self->count * sizeof *self->frames);
}

size_t
weft_msg_frames (const weft_msg_t *msg)
{
    return message_of (msg)->count;
}

size_t
weft_msg_size (const weft_msg_t *msg, size_t frame)
{
    const struct message *self = message_of (msg);
    return frame < self->count ? self->frames[frame].size : 0;
}

void *
weft_msg_data (const weft_msg_t *msg, size_t frame)
{
    const struct message *self = message_of (msg);
    return frame < self->count ? frame_data (&self->frames[frame]) : NULL;
}

size_t
weft_msg_bytes (const weft_msg_t *msg)
{
    const struct message *self = message_of (msg);
    size_t bytes = 0;
    for (uint32_t i = 0; i < self->count; i++)
        bytes += self->frames[i].size;
    return bytes;
}

int
weft_msg_copy (weft_msg_t *dst, const weft_msg_t *src)
{
    struct message *to = message_of (dst);
    const struct message *from = message_of (src);
    weft_msg_clear (dst);
    for (uint32_t i = 0; i < from->count; i++) {
        struct frame *source = &from->frames[i], *frame = message_append_slot (to);
        int rc = frame ? 0 : WEFT_ENOMEM;
        if (frame && source->owner)
            rc = source->owner->share (frame, source);
        else if (frame)
            *frame = *source;
        if (rc) {
            weft_msg_clear (dst);
            return rc;
        }
    }
    return 0;
}

void
weft_msg_move (weft_msg_t *dst, weft_msg_t *src)
{
    struct message *to = message_of (dst), *from = message_of (src);
    if (to == from)
        return;
    weft_msg_clear (dst);
    if (from->frames == from->inlined) {
        memcpy (to->inlined, from->inlined, from->count * sizeof *from->inlined);
        to->frames = to->inlined;
    } else
        to->frames = from->frames;
    to->count = from->count;
    to->capacity = from->capacity;
    weft_msg_init (src);
}
