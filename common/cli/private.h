/*
 * What the .c files of this room share: one value into a config struct, and one more value for the
 * arguments being read. Not for other rooms.
 */
#ifndef ARK_CLI_PRIVATE_H
#define ARK_CLI_PRIVATE_H

#include "common/cli/args.h"

/* Keep `block` (malloced) until ark_args_release; returns it. */
void *ark_args_hold(struct ark_args *args, void *block);
/* A held, formatted text. */
const char *ark_args_text(struct ark_args *args, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Read `text` as the option's type and write its field in `config` (base of the struct that
 * option->at is an offset of). Lists get one more item, counts one more.
 *
 * text     NULL: given without a value (FLAG, COUNT, MAYBE)
 * negated  FLAG: the opposite
 * Returns  FAIL with kind USAGE; the text does not name the option, and not the value of a SECRET
 */
enum ark_rc ark_value_set(const struct ark_option *option, void *config, const char *text,
                          bool negated, struct ark_args *args, struct ark_err *err);
/* Zero or empty again. */
void ark_value_clear(const struct ark_option *option, void *config);
/* One more item; the array is held by `args`, `text` must last as long. */
void ark_list_add(struct ark_list *list, const char *text, struct ark_args *args);

/*
 * A pipe can be read once and has no beginning to go back to; those named by options with ARK_READS_PIPE are read now, into
 * memory that has a path of its own, which becomes the value. Nothing of it is on any disk.
 */
enum ark_rc ark_pipes_read(struct ark_args *args, void *config, struct ark_err *err);

struct ark_use {
	size_t row;
	const char *text; /* NULL: without a value; else stable until ark_args_release */
	bool negated;
	struct ark_origin origin;
};

/* Apply one use of an option: a higher rank than before replaces, an equal one adds to lists. */
enum ark_rc ark_args_use(struct ark_args *args, void *config, const struct ark_use *use,
                         struct ark_err *err);
/* Row of "x", or of what "no-x" or "x" negates; SIZE_MAX when there is none. */
size_t ark_args_find(const struct ark_tool *tool, struct ark_str name, bool *negated);

/*
 * Read one configuration file and apply it.
 * rank     ARK_FROM_SYSTEM_FILE or ARK_FROM_USER_FILE; lines of the tool's section get the next one
 * must     a file that is not there is an error
 */
enum ark_rc ark_config_read(const char *path, enum ark_rank rank, bool must, struct ark_args *args,
                            void *config, struct ark_err *err);

#endif
