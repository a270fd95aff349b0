/*
 * terms: see terms.h. Pure.
 */
#include "cli/tui/terms.h"

#define ROW(name, title, meaning) [TUI_TERM_##name] = {title, meaning},
const struct tui_term_row tui_term_rows[TUI_TERM_COUNT] = {TUI_TERMS(ROW)};

char *tui_terms_manual(void)
{
	stint_auto_buf text = {0};
	for (size_t at = 0; at < TUI_TERM_COUNT; at++)
		stint_buf_printf(&text, "%s%-12s %s", at ? "\n" : "", tui_term_rows[at].title, tui_term_rows[at].meaning);
	return stint_buf_steal(&text);
}
