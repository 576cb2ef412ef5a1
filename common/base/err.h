/*
 * Results and errors: every function that can fail returns an ark_rc and fills the caller's
 * struct ark_err. Not for bugs of ours: those are ark_bug() and abort.
 *
 * Rules (docs/design.md "Errors"): who finds the problem sets the text with ark_err_set; each level
 * above may put its context in front with ark_err_in; main prints once. Rooms below never print.
 */
#ifndef ARK_BASE_ERR_H
#define ARK_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum ark_rc {
	ARK_END = 1,   /* nothing more to read; not an error */
	ARK_OK = 0,
	ARK_FAIL = -1, /* this call did not happen; the next one may */
	ARK_STOP = -2, /* what is below cannot go on: connection gone, disk full, store damaged */
};

/* What went wrong, for tests and for the exit code. */
enum ark_kind {
	ARK_KIND_NONE = 0,
	ARK_KIND_USAGE,   /* command line or configuration: exit 2 */
	ARK_KIND_INPUT,   /* data from outside is bad */
	ARK_KIND_LIMIT,   /* a limit of common/base/limits.h was passed */
	ARK_KIND_MISSING, /* something named is not there */
	ARK_KIND_IO,      /* read, write, disk full */
	ARK_KIND_DB,      /* the database said no */
	ARK_KIND_REFUSED, /* a precondition does not hold: exit 4 */
	ARK_KIND_LOCKED,  /* somebody else holds the lock: exit 5 */
	ARK_KIND_SIGNAL,  /* interrupted: exit 130 */
	ARK_KIND_MEMORY,
};

#define ARK_ERR_TEXT 1024
#define ARK_ERR_HINT 512

/* Caller's storage; `= {0}` is the empty error. Plain arrays: no ownership, may be copied. */
struct ark_err {
	enum ark_kind kind;
	char text[ARK_ERR_TEXT]; /* lower case, cause first, no full stop; control bytes replaced */
	char hint[ARK_ERR_HINT]; /* what to do; empty when there is nothing to say */
};

/* Set kind and text (replacing what was there) and return ARK_FAIL. */
enum ark_rc ark_err_set(struct ark_err *err, enum ark_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As ark_err_set, but returns ARK_STOP. */
enum ark_rc ark_err_stop(struct ark_err *err, enum ark_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As ark_err_stop with ": " and strerror(errnum) behind; ENOSPC and EDQUOT get a hint. */
enum ark_rc ark_err_errno(struct ark_err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "fmt: " in front of the text; returns `rc` unchanged so that it can be returned at once. */
enum ark_rc ark_err_in(struct ark_err *err, enum ark_rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#if defined(__clang_analyzer__) || defined(ARK_ANALYZER)
/* Static analysis looks at one file at a time; it is told here what the functions above return. */
#ifndef ARK_ERR_IMPLEMENTATION
#define ark_err_set(...) ((void)ark_err_set(__VA_ARGS__), ARK_FAIL)
#define ark_err_stop(...) ((void)ark_err_stop(__VA_ARGS__), ARK_STOP)
#define ark_err_errno(...) ((void)ark_err_errno(__VA_ARGS__), ARK_STOP)
#endif
#endif

/* Set the hint (replacing). */
void ark_err_hint(struct ark_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Replace control bytes (below 0x20 and 0x7f) by '?' in place: outside text goes to terminals. */
void ark_text_defuse(char *text);

/* A bug of ours: print where and abort. Never for bad input. */
void ark_bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
#define ark_bug(...) ark_bug_at(__FILE__, __LINE__, __VA_ARGS__)

/*
 * Run `fn(&variable)` when the variable goes out of scope: declared where acquired, initialised in
 * the same line. Falling out of scope means giving up; keeping is an explicit call.
 */
#define ark_auto(fn) __attribute__((cleanup(fn)))

#endif
