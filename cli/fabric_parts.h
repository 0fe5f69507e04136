/*  fabric_parts.h - what the files of a fabric's reading share */
#ifndef WEFT_CLI_FABRIC_PARTS_H
#define WEFT_CLI_FABRIC_PARTS_H

#include "cli/fabric.h"
#include "cli/zpl.h"

/*  Mistakes, until they are told in the order of their lines. */
struct fabric_mistake {
    int line;                   /*  0: of the file      */
    char *text;
};

struct fabric_reader {
    struct fabric *fabric;
    struct fabric_mistake *mistakes;
    size_t count;
    bool failed;                /*  there is one        */
};

/*  `part`: whose it is, or NULL. */
void fabric_mistake (struct fabric_reader *self, int line, const struct fabric_part *part, const char *format, ...)
    WEFT_PRINTF (4, 5);

/*  Sections to parts: fabric_sections.c. */
void fabric_read_sections (struct fabric_reader *self, const struct zpl *zpl);

/*  Whether each part could run, and all of them together: fabric_check.c. */
void fabric_check (struct fabric_reader *self);

/*  Two endpoints that are joined: one binds and the other connects. */
bool fabric_joined (const struct fabric_endpoint *one, const struct fabric_endpoint *other);

#endif
