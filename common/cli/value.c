/* One value: from text into the field of the tool's config struct. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/private.h"

#include "common/base/banned.h"

/* yes/no/true/false/on/off/1/0; false when it is none of them. */
static bool ark_value_bool(struct ark_str text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} WORDS[] = { { "yes", true }, { "no", false }, { "true", true }, { "false", false },
		      { "on", true },  { "off", false }, { "1", true },	  { "0", false } };
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
		if (ark_str_eqz(text, WORDS[i].word)) {
			*out = WORDS[i].value;
			return true;
		}
	}
	return false;
}

static enum ark_rc bad(const struct ark_option *o, const char *text, const char *what,
                       struct ark_err *err)
{
	if ((o->flags & ARK_SECRET) != 0)
		return ark_err_set(err, ARK_KIND_USAGE, "the value is %s", what);
	return ark_err_set(err, ARK_KIND_USAGE, "'%s' is %s", text, what);
}

static enum ark_rc set_flag(const struct ark_option *o, bool *field, const char *text, bool negated,
                            struct ark_err *err)
{
	bool value = true;
	if (text != NULL && !ark_value_bool(ark_str_z(text), &value))
		return bad(o, text, "neither 'yes' nor 'no'", err);
	*field = value != negated;
	return ARK_OK;
}

static enum ark_rc set_count(const struct ark_option *o, int *field, const char *text,
                             struct ark_err *err)
{
	uint64_t n;
	bool on;
	if (text == NULL)
		*field += 1;
	else if (ark_str_u64(ark_str_z(text), &n) && n <= 100)
		*field = (int)n;
	else if (ark_value_bool(ark_str_z(text), &on))
		*field = on;
	else
		return bad(o, text, "no number from 0 to 100", err);
	return ARK_OK;
}

static enum ark_rc set_number(const struct ark_option *o, int64_t *field, const char *text,
                              struct ark_err *err)
{
	int64_t min = o->min, max = o->min == 0 && o->max == 0 ? INT64_MAX : o->max;
	bool minus = text[0] == '-';
	uint64_t n;
	if (ark_str_u64(ark_str_z(text + minus), &n) && n <= INT64_MAX) {
		int64_t value = minus ? -(int64_t)n : (int64_t)n;
		if (value >= min && value <= max) {
			*field = value;
			return ARK_OK;
		}
	}
	bad(o, text, "no whole number", err);
	if (max == INT64_MAX)
		ark_err_hint(err, "give a whole number from %lld on", (long long)min);
	else
		ark_err_hint(err, "give a whole number from %lld to %lld", (long long)min,
		             (long long)max);
	return ARK_FAIL;
}

static enum ark_rc set_size(const struct ark_option *o, uint64_t *field, const char *text,
                            struct ark_err *err)
{
	static const char LETTERS[] = "KMGTP";
	struct ark_str s = ark_str_z(text);
	size_t digits = strspn(text, "0123456789");
	struct ark_str unit = ark_str_from(s, digits);
	unsigned shift = 0;
	uint64_t n;
	if (unit.len > 0 && unit.ptr[0] != 'B') {
		const char *letter = strchr(LETTERS, unit.ptr[0] == 'k' ? 'K' : unit.ptr[0]);
		if (letter != NULL)
			shift = 10 * (unsigned)(letter - LETTERS + 1);
		unit = ark_str_from(unit, letter != NULL ? 1 : 0);
	}
	if (ark_str_u64(ark_str_first(s, digits), &n) && n <= UINT64_MAX >> shift &&
	    (unit.len == 0 || ark_str_eqz(unit, "B") || (shift > 0 && ark_str_eqz(unit, "iB")))) {
		*field = n << shift;
		return ARK_OK;
	}
	bad(o, text, "no size", err);
	ark_err_hint(err, "give bytes or a number with K, M, G or T behind it, as in 256M");
	return ARK_FAIL;
}

static enum ark_rc set_choice(const struct ark_option *o, int *field, const char *text,
                              struct ark_err *err)
{
	char all[ARK_ERR_HINT] = "";
	size_t n = 0;
	for (; o->words[n] != NULL; n++) {
		if (strcmp(o->words[n], text) == 0) {
			*field = (int)n;
			return ARK_OK;
		}
		size_t len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s", n > 0 ? ", " : "", o->words[n]);
	}
	bad(o, text, "none of the words that are allowed", err);
	size_t near = ark_nearest(ark_str_z(text), o->words, n);
	if (near != SIZE_MAX)
		ark_err_hint(err, "did you mean '%s'? (%s)", o->words[near], all);
	else
		ark_err_hint(err, "one of: %s", all);
	return ARK_FAIL;
}

void ark_list_add(struct ark_list *list, const char *text, struct ark_args *args)
{
	/* Room doubles when the count reaches a power of two; the smaller arrays stay held. */
	if ((list->count & (list->count - 1)) == 0) {
		size_t cap = list->count == 0 ? 1 : list->count * 2;
		const char **items = ark_args_hold(args, ark_calloc(cap, sizeof(*items)));
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = text;
}

static enum ark_rc set_maybe(struct ark_maybe *field, const char *text)
{
	bool on = true;
	if (text != NULL && ark_value_bool(ark_str_z(text), &on))
		text = NULL;
	*field = (struct ark_maybe){ .given = on, .text = text };
	return ARK_OK;
}

enum ark_rc ark_value_set(const struct ark_option *option, void *config, const char *text,
                          bool negated, struct ark_args *args, struct ark_err *err)
{
	void *field = (char *)config + option->at;
	enum ark_option_type t = option->type;
	if (text == NULL && t != ARK_FLAG && t != ARK_COUNT && t != ARK_MAYBE)
		return ark_err_set(err, ARK_KIND_USAGE, "needs a value");
	switch (t) {
	case ARK_FLAG: return set_flag(option, field, text, negated, err);
	case ARK_COUNT: return set_count(option, field, text, err);
	case ARK_TEXT: *(const char **)field = text; return ARK_OK;
	case ARK_LIST: ark_list_add(field, text, args); return ARK_OK;
	case ARK_NUMBER: return set_number(option, field, text, err);
	case ARK_SIZE: return set_size(option, field, text, err);
	case ARK_CHOICE: return set_choice(option, field, text, err);
	case ARK_MAYBE: return set_maybe(field, text);
	case ARK_TIME: {
		struct ark_when when = { .has = true };
		enum ark_rc rc = ark_time_parse(ark_str_z(text), args->now_ms, &when.ms, err);
		if (rc == ARK_OK)
			*(struct ark_when *)field = when;
		return rc;
	}
	case ARK_HEADING: break;
	}
	ark_bug("option type %d", (int)t);
}

void ark_value_clear(const struct ark_option *option, void *config)
{
	static const size_t SIZES[] = {
		[ARK_HEADING] = 0,
		[ARK_FLAG] = sizeof(bool),
		[ARK_COUNT] = sizeof(int),
		[ARK_TEXT] = sizeof(const char *),
		[ARK_LIST] = sizeof(struct ark_list),
		[ARK_NUMBER] = sizeof(int64_t),
		[ARK_SIZE] = sizeof(uint64_t),
		[ARK_TIME] = sizeof(struct ark_when),
		[ARK_CHOICE] = sizeof(int),
		[ARK_MAYBE] = sizeof(struct ark_maybe),
	};
	memset((char *)config + option->at, 0, SIZES[option->type]);
}
