/*  format_json.c - messages <-> JSON objects; format.h says which members */

#include <inttypes.h>
#include <stdbool.h>

#include "codec/base64.h"
#include "codec/format_parts.h"
#include "codec/json.h"
#include "core/error.h"
#include "core/message.h"

/* ---------------------------------------------------------------- decoding */

/*  Takes a string, or {"base64": "..."}: the bytes of a frame, decoded in place. */
static int
take_bytes (struct json_reader *reader, struct json_string *bytes)
{
    int kind = json_peek (reader);
    if (kind == '"' || kind < 0)
        return kind < 0 ? kind : json_take_string (reader, bytes);
    if (kind != '{')
        return json_error (reader, "a string or {\"base64\": \"...\"} is expected");
    struct json_string key;
    int rc = json_enter (reader, '{');
    if (rc == 0)
        rc = json_next_member (reader, &key);
    if (rc < 0)
        return rc;
    if (rc == 0 || !json_string_is (&key, "base64"))
        return json_error (reader, "\"base64\" is expected as the only member");
    rc = json_take_string (reader, bytes);
    if (rc == 0)
        rc = base64_decode (bytes->data, &bytes->size, bytes->data, bytes->size);
    if (rc == 0)
        rc = json_next_member (reader, &key);
    return rc > 0 ? json_error (reader, "\"base64\" is expected as the only member") : rc;
}

static int
take_frames (struct json_reader *reader, weft_msg_t *msg, size_t *room)
{
    struct json_string bytes;
    int rc = json_enter (reader, '[');
    while (rc >= 0 && (rc = json_next_item (reader)) > 0) {
        rc = take_bytes (reader, &bytes);
        if (rc == 0)
            rc = format_take_frame (msg, bytes.data, bytes.size, room);
    }
    if (rc == 0 && weft_msg_frames (msg) == 0)
        return json_error (reader, "\"frames\" is empty; an empty frame is \"\"");
    return rc;
}

/*  What the members of an object say, gathered until its end. */
struct members {
    bool frames, data, topic;               /*  which were there                    */
    struct json_string data_bytes, topic_bytes;
    size_t room;
};

static int
take_member (struct json_reader *reader, const struct json_string *key, struct members *members, weft_msg_t *msg)
{
    bool *seen = json_string_is (key, "frames")  ? &members->frames
                 : json_string_is (key, "data")  ? &members->data
                 : json_string_is (key, "topic") ? &members->topic
                                                 : NULL;
    if (!seen)
        return json_skip (reader);
    if (*seen)
        return json_error (reader, "\"frames\", \"data\" or \"topic\" comes twice");
    if (seen == &members->topic && json_peek (reader) == 'n')
        return json_skip (reader);
    *seen = true;
    if (seen == &members->frames)
        return take_frames (reader, msg, &members->room);
    return take_bytes (reader, seen == &members->data ? &members->data_bytes : &members->topic_bytes);
}

int
format_take_json (weft_msg_t *msg, char *text, size_t size, size_t max_size)
{
    struct members members = { .room = max_size };
    struct json_reader reader;
    struct json_string key;
    json_reader_init (&reader, text, size);
    int rc = json_enter (&reader, '{');
    while (rc >= 0 && (rc = json_next_member (&reader, &key)) > 0)
        rc = take_member (&reader, &key, &members, msg);
    if (rc == 0)
        rc = json_end (&reader);
    if (rc < 0)
        return rc;
    if (members.frames == members.data)
        return error_set (WEFT_EPROTO, members.frames ? "has both \"frames\" and \"data\"; one of them is needed"
                                                      : "has neither \"frames\" nor \"data\"; one of them is needed");
    if (members.data && members.topic)
        rc = format_take_frame (msg, members.topic_bytes.data, members.topic_bytes.size, &members.room);
    if (members.data && rc == 0)
        rc = format_take_frame (msg, members.data_bytes.data, members.data_bytes.size, &members.room);
    return rc;
}

/* ---------------------------------------------------------------- encoding */

int
format_json_bytes (struct buffer *out, const void *data, size_t size)
{
    if (size == 0 || json_is_text (data, size))
        return json_add_string (out, data, size);
    int rc = buffer_add_str (out, "{\"base64\":\"");
    if (rc < 0)
        return rc;
    char *text = buffer_reserve (out, BASE64_SIZE (size));
    if (!text)
        return WEFT_ENOMEM;
    base64_encode (text, data, size);
    buffer_wrote (out, BASE64_SIZE (size));
    return buffer_add_str (out, "\"}");
}

/*  "topic", "size" and "time", as far as they are known. */
static int
add_head (struct buffer *out, const weft_msg_t *msg, const struct message_info *info)
{
    int rc = 0;
    if (info->topic) {
        rc = buffer_add_str (out, "\"topic\":");
        if (rc == 0)
            rc = format_json_bytes (out, info->topic, info->topic_size);
        if (rc == 0)
            rc = buffer_add_str (out, ",");
    }
    if (rc == 0)
        rc = buffer_addf (out, "\"size\":%zu,", weft_msg_bytes (msg));
    if (rc == 0 && info->time != 0) {
        rc = buffer_add_str (out, "\"time\":\"");
        if (rc == 0)
            rc = format_add_time (out, info->time);
        if (rc == 0)
            rc = buffer_add_str (out, "\",");
    }
    return rc;
}

int
format_add_json (struct buffer *out, const weft_msg_t *msg, const struct message_info *info)
{
    int rc = buffer_add_str (out, "{");
    if (rc == 0)
        rc = add_head (out, msg, info);
    if (rc == 0)
        rc = buffer_add_str (out, "\"frames\":[");
    size_t i = 0;
    do {
        if (rc == 0 && i > 0)
            rc = buffer_add_str (out, ",");
        if (rc == 0)
            rc = format_json_bytes (out, weft_msg_data (msg, i), weft_msg_size (msg, i));
    } while (rc == 0 && ++i < weft_msg_frames (msg));
    return rc == 0 ? buffer_add_str (out, "]}") : rc;
}
