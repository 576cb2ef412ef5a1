/*
 * Memory that is always there: running out ends the process with exit code 1 and one line.
 * Sizes are checked before arithmetic.
 */
#ifndef ARK_BASE_MEM_H
#define ARK_BASE_MEM_H

#include <stddef.h>

#include "common/base/str.h"

void *ark_malloc(size_t size_bytes);
void *ark_calloc(size_t count, size_t size_bytes);
void *ark_realloc(void *old, size_t count, size_t size_bytes);
/* A NUL-ended copy; the caller frees it. */
char *ark_strdup(struct ark_str s);
char *ark_strdupz(const char *z);
/* For ark_auto: frees *p where p is any pointer variable. */
void ark_freep(void *p);

#endif
