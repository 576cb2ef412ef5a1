/*
 * Text as the words that search compares: runs of letters and digits in lower case; of scripts that
 * write without blanks every two neighbouring characters. app.js does the same to what is typed.
 */
#ifndef EXPORT_FORMATS_HTML_WORDS_H
#define EXPORT_FORMATS_HTML_WORDS_H

#include "common/base/str.h"

#define HTML_WORD_BYTES 48 /* longer ones are cut between characters */

/* Calls `word` for each, with repetitions; its text is borrowed during the call. */
void html_words(struct ark_str text, void (*word)(void *ctx, struct ark_str word), void *ctx);

#endif
