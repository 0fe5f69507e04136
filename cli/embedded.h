/*  embedded.h - files of this folder that are part of the program */
#ifndef WEFT_CLI_EMBEDDED_H
#define WEFT_CLI_EMBEDDED_H

/*  Texts with a NUL at their end. */
extern const char embedded_default_zpl[];

#endif
