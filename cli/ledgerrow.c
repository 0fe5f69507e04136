/*  ledgerrow.c - a row of a ledger, as a line or lines for people, or for JSON */

#include "cli/ledgerrow.h"

#include <sqlite3.h>
#include <string.h>

#include "codec/json.h"
#include "core/error.h"

/*  A text for a terminal and a line: without what would break either. */
static int
add_plain (struct buffer *out, const unsigned char *text, size_t size)
{
    int rc = 0;
    for (size_t i = 0; i < size && rc == 0; i++)
        rc = text[i] == '\n' ? buffer_add_str (out, "\\n")
             : text[i] < ' ' || text[i] == 127 ? buffer_addf (out, "\\x%02x", text[i])
             : buffer_add (out, text + i, 1);
    return rc;
}

/*  Bytes that are no UTF-8 cannot be in JSON: each above ASCII becomes the character that stands for such. */
static int
add_bytes (struct buffer *out, const unsigned char *text, size_t size)
{
    struct buffer plain;
    buffer_init (&plain, 0);
    int rc = 0;
    for (size_t i = 0; i < size && rc == 0; i++)
        rc = text[i] && text[i] < 128 ? buffer_add (&plain, text + i, 1) : buffer_add_str (&plain, "\xef\xbf\xbd");
    if (rc == 0)
        rc = json_add_string (out, buffer_data (&plain), buffer_size (&plain));
    buffer_free (&plain);
    return rc;
}

static int
add_column (sqlite3_stmt *row, int column, bool json, struct buffer *out)
{
    int type = sqlite3_column_type (row, column);
    if (type == SQLITE_NULL)
        return buffer_add_str (out, json ? "null" : "-");
    if (type == SQLITE_FLOAT)
        return buffer_addf (out, "%.3f", sqlite3_column_double (row, column));
    const unsigned char *text = sqlite3_column_text (row, column);
    size_t size = (size_t) sqlite3_column_bytes (row, column);
    if (!text)
        return error_set (WEFT_ENOMEM, "out of memory for a ledger");
    if (!json || type == SQLITE_INTEGER)
        return add_plain (out, text, size);
    return json_is_text (text, size) ? json_add_string (out, text, size) : add_bytes (out, text, size);
}

int
ledgerrow_members (sqlite3_stmt *row, bool json, const char *before, struct buffer *out)
{
    int rc = 0, count = sqlite3_column_count (row);
    for (int i = 0; i < count && rc == 0; i++) {
        const char *name = sqlite3_column_name (row, i);
        rc = json ? buffer_addf (out, "%s\"%s\":", i ? "," : "", name) : buffer_addf (out, "%s%s: ", before, name);
        if (rc == 0)
            rc = add_column (row, i, json, out);
        if (rc == 0 && !json)
            rc = buffer_add_str (out, "\n");
    }
    return rc;
}

/*  The column of that name, or -1. */
static int
column_of (sqlite3_stmt *row, const char *name)
{
    for (int i = 0; i < sqlite3_column_count (row); i++)
        if (strcmp (sqlite3_column_name (row, i), name) == 0)
            return i;
    return -1;
}

int
ledgerrow_line (sqlite3_stmt *row, struct buffer *out)
{
    static const char *const names[] = { "id", "state", "attempt", "status", "signal", "seconds", "host", "command" };
    int rc = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && rc == 0; i++) {
        int column = column_of (row, names[i]);
        rc = i ? buffer_add_str (out, "\t") : 0;
        if (rc == 0)
            rc = column < 0 ? buffer_add_str (out, "-") : add_column (row, column, false, out);
    }
    return rc;
}
