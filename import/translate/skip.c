#include "import/translate/skip.h"

#include "common/base/banned.h"

static const struct {
	const char *name;
	int loss;
	const char *text;
} REASONS[] = {
#define SKIP_ROW(id, name, loss, text) { name, loss, text },
	SKIP_REASONS(SKIP_ROW)
#undef SKIP_ROW
};

const char *skip_name(enum skip_reason reason)
{
	return REASONS[reason].name;
}

const char *skip_text(enum skip_reason reason)
{
	return REASONS[reason].text;
}

int skip_is_loss(enum skip_reason reason)
{
	return REASONS[reason].loss;
}
