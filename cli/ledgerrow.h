/*  ledgerrow.h - a row of a ledger, as a line or lines for people, or for JSON
 *
 *  All of it is printable: what would steer a terminal or break a line is shown as \xNN, and what is no UTF-8 has
 *  U+FFFD in its place in JSON. */
#ifndef WEFT_CLI_LEDGERROW_H
#define WEFT_CLI_LEDGERROW_H

#include <stdbool.h>

#include "core/buffer.h"

struct sqlite3_stmt;

/*  Adds all columns with their names: the members of a JSON object, without its braces, or lines that each begin with
 *  `before`. */
int ledgerrow_members (struct sqlite3_stmt *row, bool json, const char *before, struct buffer *out);

/*  Adds the columns of weft jobs list, with TABs between them and no newline; "-" for what the row does not have. */
int ledgerrow_line (struct sqlite3_stmt *row, struct buffer *out);

#endif
