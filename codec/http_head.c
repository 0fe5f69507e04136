/*  http_head.c - HTTP/1.1: the head of a message, by http-parser
 *
 *  Debian builds http-parser without its strict checks: then it takes a space within a header's name, bytes above 127
 *  in a target, a CR without a LF. So each line is checked here before http-parser sees it, and what decides about
 *  the length of a body is decided here. */

#include <http_parser.h>
#include <string.h>

#include "codec/http_parts.h"
#include "core/error.h"
#include "weft.h"

/* -------------------------------------------------------------------- line by line */

/*  "GET /target HTTP/1.1" */
static int
check_request_line (const char *line, size_t size, int *status)
{
    const char *end = line + size, *target = memchr (line, ' ', size);
    const char *version = target ? memchr (target + 1, ' ', (size_t) (end - target) - 1) : NULL;
    if (!version || version - target < 2
        || !http_is_token ((struct http_text) { line, (size_t) (target - line) }))
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a first line that is not METHOD TARGET HTTP/1.1");
    size_t length = (size_t) (end - version) - 1;
    bool http = length == 8 && memcmp (version + 1, "HTTP/", 5) == 0 && version[7] == '.';
    if (!http || version[6] < '0' || version[6] > '9' || version[8] < '0' || version[8] > '9')
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a first line that does not end with HTTP/1.1");
    if (version[6] != '1' || version[8] > '1')
        return HTTP_BAD (status, 505, WEFT_EPROTO, "%.8s is not spoken here; HTTP/1.1 is", version + 1);
    if (version - target - 1 > HTTP_TARGET_MAX)
        return HTTP_BAD (status, 414, WEFT_ETOOBIG, "a target of more than %d bytes", HTTP_TARGET_MAX);
    for (const char *at = target + 1; at < version; at++)
        if (*at <= ' ' || *at >= 127 || *at == '#')
            return HTTP_BAD (status, 400, WEFT_EPROTO, "a character in the target that has to be percent-encoded");
    return 0;
}

/*  "HTTP/1.1 200 Reason" */
static int
check_status_line (const char *line, size_t size, int *status)
{
    bool good = size >= 12 && memcmp (line, "HTTP/1.", 7) == 0 && (line[7] == '0' || line[7] == '1') && line[8] == ' '
                && line[9] >= '1' && line[9] <= '9' && (size == 12 || line[12] == ' ');
    for (int i = 10; good && i < 12; i++)
        good = line[i] >= '0' && line[i] <= '9';
    return good ? 0 : HTTP_BAD (status, 502, WEFT_EPROTO, "a first line that is not HTTP/1.1 STATUS REASON");
}

static int
check_header (const char *line, size_t size, int *status)
{
    const char *colon = memchr (line, ':', size);
    if (*line == ' ' || *line == '\t')
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a header that is folded over two lines");
    if (!colon || !http_is_token ((struct http_text) { line, (size_t) (colon - line) }))
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a line that is no header: NAME: VALUE");
    return 0;
}

static int
check_lines (const struct http_head *head, const char *data, size_t size, int *status)
{
    const char *line = data, *end;
    int rc = 0;
    for (; rc == 0 && (end = memchr (line, '\r', size - (size_t) (line - data))) > line; line = end + 2) {
        size_t length = (size_t) (end - line);
        if (line != data)
            rc = check_header (line, length, status);
        else
            rc = head->is_request ? check_request_line (line, length, status)
                                  : check_status_line (line, length, status);
    }
    return rc;
}

/* -------------------------------------------------------------------- http-parser */

static int
on_url (http_parser *parser, const char *data, size_t size)
{
    ((struct http_head *) parser->data)->target = (struct http_text) { data, size };
    return 0;
}

static int
on_reason (http_parser *parser, const char *data, size_t size)
{
    ((struct http_head *) parser->data)->reason = (struct http_text) { data, size };
    return 0;
}

static int
on_name (http_parser *parser, const char *data, size_t size)
{
    struct http_head *head = parser->data;
    if (head->header_count == HTTP_HEADERS_MAX)
        return -1;
    head->headers[head->header_count++] = (struct http_header) { { data, size }, { data + size, 0 } };
    return 0;
}

static int
on_value (http_parser *parser, const char *data, size_t size)
{
    struct http_head *head = parser->data;
    while (size && (data[size - 1] == ' ' || data[size - 1] == '\t'))
        size--;
    if (head->header_count)
        head->headers[head->header_count - 1].value = (struct http_text) { data, size };
    return 0;
}

/*  The last call: 1, "there is no body", so that nothing of one is asked for here. */
static int
on_headers (http_parser *parser)
{
    struct http_head *head = parser->data;
    head->minor = parser->http_minor;
    head->status = (int) parser->status_code;
    head->keep_alive = http_should_keep_alive (parser);
    head->upgrade = parser->upgrade;
    return 1;
}

static int
run_parser (struct http_head *head, const char *data, size_t size, int *status)
{
    static const http_parser_settings settings = {
        .on_url = on_url, .on_status = on_reason, .on_header_field = on_name, .on_header_value = on_value,
        .on_headers_complete = on_headers
    };
    http_parser parser;
    http_parser_init (&parser, head->is_request ? HTTP_REQUEST : HTTP_RESPONSE);
    parser.data = head;
    size_t used = http_parser_execute (&parser, &settings, data, size);
    enum http_errno error = HTTP_PARSER_ERRNO (&parser);
    if (error == HPE_INVALID_METHOD || error == HPE_UNKNOWN)
        return HTTP_BAD (status, 501, WEFT_EPROTO, "a method that is not known here");
    if (error == HPE_UNEXPECTED_CONTENT_LENGTH)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "more than one length of the body");
    if (error == HPE_INVALID_CONTENT_LENGTH)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a Content-Length that is no number");
    if (error != HPE_OK || used != size)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "%s", error ? http_errno_description (error) : "it has no end");
    if (head->is_request)
        head->method = (struct http_text) { data, strlen (http_method_str ((enum http_method) parser.method)) };
    return 0;
}

/* ----------------------------------------------------------------- what it all means */

static int
split_target (struct http_head *head, int *status)
{
    struct http_parser_url url;
    const char *target = head->target.data;
    size_t size = head->target.size;
    if (http_text_is (head->method, "CONNECT"))
        return HTTP_BAD (status, 501, WEFT_EPROTO, "CONNECT: this is no proxy");
    head->path = head->target;
    head->query = (struct http_text) { target + size, 0 };
    if (size == 1 && *target == '*')
        return http_text_is (head->method, "OPTIONS")
                   ? 0 : HTTP_BAD (status, 400, WEFT_EPROTO, "the target *, which is for OPTIONS alone");
    http_parser_url_init (&url);
    if (http_parser_parse_url (target, size, 0, &url) || (*target != '/' && !(url.field_set & 1 << UF_HOST)))
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a target that is neither a path nor a URL");
    head->path = (struct http_text) { "/", 1 };
    if (url.field_set & 1 << UF_PATH)
        head->path = (struct http_text) { target + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len };
    if (url.field_set & 1 << UF_QUERY)
        head->query = (struct http_text) { target + url.field_data[UF_QUERY].off, url.field_data[UF_QUERY].len };
    return 0;
}

static int
take_length (struct http_head *head, struct http_text value, int *status)
{
    if (head->sized)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "more than one Content-Length");
    if (value.size == 0 || value.size > 18)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a Content-Length that is no number");
    head->sized = true;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return HTTP_BAD (status, 400, WEFT_EPROTO, "a Content-Length that is no number");
        head->length = head->length * 10 + (uint64_t) (value.data[i] - '0');
    }
    return 0;
}

static int
take_coding (struct http_head *head, struct http_text value, int *status)
{
    if (head->chunked || head->minor == 0)
        return HTTP_BAD (status, 400, WEFT_EPROTO, head->chunked ? "more than one Transfer-Encoding"
                                                                 : "a Transfer-Encoding in HTTP/1.0");
    if (!http_text_is (value, "chunked"))
        return HTTP_BAD (status, 501, WEFT_EPROTO, "a Transfer-Encoding other than chunked");
    head->chunked = true;
    return 0;
}

static int
check_host (struct http_text value, int *status)
{
    for (size_t i = 0; i < value.size; i++)
        if (!strchr ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:[]%",
                     value.data[i]) || value.data[i] == '\0')
            return HTTP_BAD (status, 400, WEFT_EPROTO, "a Host that is none");
    return 0;
}

static int
check_headers (struct http_head *head, int *status)
{
    int hosts = 0, rc = 0;
    for (size_t i = 0; i < head->header_count && rc == 0; i++) {
        struct http_text name = head->headers[i].name, value = head->headers[i].value;
        if (http_text_is (name, "content-length"))
            rc = take_length (head, value, status);
        else if (http_text_is (name, "transfer-encoding"))
            rc = take_coding (head, value, status);
        else if (http_text_is (name, "host")) {
            hosts++;
            rc = check_host (value, status);
        }
    }
    if (rc)
        return rc;
    if (head->chunked && head->sized)
        return HTTP_BAD (status, 400, WEFT_EPROTO, "a Content-Length beside a Transfer-Encoding");
    if (head->is_request && (hosts > 1 || (hosts == 0 && head->minor == 1)))
        return HTTP_BAD (status, 400, WEFT_EPROTO, hosts ? "more than one Host" : "no Host");
    return 0;
}

int
http_parse_head (struct http_head *head, const char *data, size_t size, int *status)
{
    head->header_count = 0;
    head->length = 0;
    head->sized = head->chunked = false;
    int rc = check_lines (head, data, size, status);
    rc = rc ? rc : run_parser (head, data, size, status);
    rc = rc ? rc : check_headers (head, status);
    return rc || !head->is_request ? rc : split_target (head, status);
}
