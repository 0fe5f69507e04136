/*  seam_weft_msg.c - the seam again: libweft with a message for each send and receive */

#define SEAM_MESSAGES
#include "bench/seam_weft.c"
