/*  embedded.c - files of this folder that are part of the program: the assembler takes them in as they are */

#include "cli/embedded.h"

#define EMBED(symbol, file)                                                                                            \
    __asm__ (".pushsection .rodata\n"                                                                                  \
             ".global " #symbol "\n"                                                                                   \
             ".type " #symbol ", %object\n" #symbol ":\n"                                                              \
             ".incbin \"" file "\"\n"                                                                                  \
             ".byte 0\n"                                                                                               \
             ".size " #symbol ", . - " #symbol "\n"                                                                    \
             ".popsection\n")

EMBED (embedded_default_zpl, "cli/default.zpl");
