/* Why: see err.h. Formatting never allocates, so an error can be told when memory is short. */
#define ARK_ERR_IMPLEMENTATION
#include "common/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ark_text_defuse(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void err_fill(struct ark_err *err, enum ark_kind kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
static void err_fill(struct ark_err *err, enum ark_kind kind, const char *fmt, va_list ap)
{
	err->kind = kind;
	err->hint[0] = '\0';
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	ark_text_defuse(err->text);
}

enum ark_rc ark_err_set(struct ark_err *err, enum ark_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_fill(err, kind, fmt, ap);
	va_end(ap);
	return ARK_FAIL;
}

enum ark_rc ark_err_stop(struct ark_err *err, enum ark_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_fill(err, kind, fmt, ap);
	va_end(ap);
	return ARK_STOP;
}

enum ark_rc ark_err_errno(struct ark_err *err, int errnum, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_fill(err, errnum == ENOENT ? ARK_KIND_MISSING : ARK_KIND_IO, fmt, ap);
	va_end(ap);
	size_t len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(errnum));
	if (errnum == ENOSPC || errnum == EDQUOT)
		ark_err_hint(err, "free some space and run the same command again");
	return ARK_STOP;
}

enum ark_rc ark_err_in(struct ark_err *err, enum ark_rc rc, const char *fmt, ...)
{
	char old[ARK_ERR_TEXT];
	memcpy(old, err->text, sizeof(old));
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	size_t len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
	ark_text_defuse(err->text);
	return rc;
}

void ark_err_hint(struct ark_err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	ark_text_defuse(err->hint);
}

void ark_bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "bug in matterark at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
