/*
 * theme: see theme.h. The tables are all there is. Colours of 256: chosen for contrast on black and on white; those of projects differ in
 * hue and in lightness, so that neighbours are told apart by people who see few hues too.
 */
#include "cli/tui/theme.h"

#include <string.h>

struct colour {
	int16_t of_256, of_16;
};
struct shade {
	struct colour front[2]; /* dark, light */
	struct colour back[2];
	uint8_t attributes; /* with colours */
	uint8_t mono; /* without */
	uint8_t mono_back; /* as a background, without */
};

/* clang-format off */
#define NONE {-1, -1}
static const struct shade shades[TUI_ROLES] = {
	[TUI_TEXT] = {.front = {NONE, NONE}, .back = {NONE, NONE}},
	[TUI_DIM] = {.front = {{245, 7}, {242, 8}}, .back = {NONE, NONE}},
	[TUI_STRONG] = {.front = {NONE, NONE}, .back = {NONE, NONE}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_TITLE] = {.front = {{252, 15}, {255, 15}}, .back = {{238, 4}, {24, 4}}, .mono_back = TUI_REVERSE},
	[TUI_TAB] = {.front = {{16, 0}, {16, 0}}, .back = {{117, 14}, {153, 14}}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_HEADER] = {.front = {{117, 14}, {25, 4}}, .back = {NONE, NONE}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_FRAME] = {.front = {{240, 8}, {250, 8}}, .back = {NONE, NONE}},
	[TUI_GOOD] = {.front = {{114, 10}, {28, 2}}, .back = {NONE, NONE}},
	[TUI_WARN] = {.front = {{221, 11}, {130, 3}}, .back = {NONE, NONE}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_BAD] = {.front = {{210, 9}, {160, 1}}, .back = {NONE, NONE}, .attributes = TUI_BOLD, .mono = TUI_BOLD | TUI_UNDERLINE},
	[TUI_ACCENT] = {.front = {{117, 14}, {25, 4}}, .back = {NONE, NONE}},
	[TUI_KEY] = {.front = {{221, 11}, {25, 4}}, .back = {NONE, NONE}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_MATCH] = {.front = {{16, 0}, {16, 0}}, .back = {{221, 11}, {222, 11}}, .mono = TUI_REVERSE, .mono_back = TUI_REVERSE},
	[TUI_SELECTED] = {.front = {NONE, NONE}, .back = {{24, 4}, {153, 6}}, .mono_back = TUI_REVERSE},
	[TUI_MARKED] = {.front = {{221, 11}, {130, 5}}, .back = {{58, 5}, {229, 7}}, .attributes = TUI_BOLD, .mono = TUI_BOLD},
	[TUI_ALARM] = {.front = {{255, 15}, {255, 15}}, .back = {{124, 1}, {160, 1}}, .attributes = TUI_BOLD, .mono = TUI_BOLD, .mono_back = TUI_REVERSE},
	[TUI_PROMPT] = {.front = {{255, 15}, {16, 0}}, .back = {{236, 8}, {254, 7}}, .mono = TUI_BOLD},
	[TUI_GUARANTEED] = {.front = {{75, 12}, {26, 4}}, .back = {NONE, NONE}},
	[TUI_BORROWED] = {.front = {{215, 13}, {166, 5}}, .back = {NONE, NONE}},
	[TUI_EMPTY] = {.front = {{239, 8}, {251, 8}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 0] = {.front = {{75, 12}, {26, 4}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 1] = {.front = {{215, 3}, {166, 3}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 2] = {.front = {{114, 10}, {34, 2}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 3] = {.front = {{176, 13}, {127, 5}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 4] = {.front = {{80, 14}, {30, 6}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 5] = {.front = {{229, 11}, {136, 11}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 6] = {.front = {{141, 5}, {61, 13}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 7] = {.front = {{167, 1}, {124, 1}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 8] = {.front = {{255, 15}, {238, 0}}, .back = {NONE, NONE}},
	[TUI_PROJECT + 9] = {.front = {{64, 2}, {64, 10}}, .back = {NONE, NONE}},
};
/* clang-format on */

static int16_t of_depth(struct colour colour, enum tui_depth depth)
{
	return depth == TUI_256 ? colour.of_256 : depth == TUI_16 ? colour.of_16 : -1;
}

struct tui_look tui_look_of(enum tui_theme theme, enum tui_depth depth, enum tui_role role, enum tui_role back)
{
	const struct shade *front = &shades[role], *behind = &shades[back];
	struct tui_look look = {.front = of_depth(front->front[theme], depth), .back = of_depth(front->back[theme], depth)};
	if (back != TUI_TEXT) {
		/* The colour of a project has no background of its own: it is the same colour behind. */
		const bool own = behind->back[theme].of_256 >= 0;
		look.back = of_depth(own ? behind->back[theme] : behind->front[theme], depth);
		if (look.front < 0 || role == TUI_DIM || role == TUI_EMPTY)
			look.front = own ? of_depth(behind->front[theme], depth) : look.front;
	}
	look.attributes = depth == TUI_MONO ? front->mono | (back != TUI_TEXT ? behind->mono_back : 0) : front->attributes;
	if (depth == TUI_MONO && role == TUI_TITLE)
		look.attributes |= TUI_REVERSE;
	return look;
}

/* ---- as text ----------------------------------------------------------------------------------------------------------------------- */

static void put_colour(struct stint_buf *out, int base, int colour)
{
	if (colour < 0)
		return;
	if (colour < 8)
		stint_buf_printf(out, ";%d", base + colour);
	else if (colour < 16)
		stint_buf_printf(out, ";%d", base + 60 + colour - 8);
	else
		stint_buf_printf(out, ";%d;5;%d", base + 8, colour);
}

static void put_look(struct stint_buf *out, struct tui_look look)
{
	static const struct {
		uint8_t attribute;
		const char *code;
	} codes[] = {{TUI_BOLD, ";1"}, {TUI_FAINT, ";2"}, {TUI_UNDERLINE, ";4"}, {TUI_REVERSE, ";7"}};
	stint_buf_puts(out, "\x1b[0");
	for (size_t at = 0; at < STINT_COUNT(codes); at++) {
		if (look.attributes & codes[at].attribute)
			stint_buf_puts(out, codes[at].code);
	}
	put_colour(out, 30, look.front);
	put_colour(out, 40, look.back);
	stint_buf_putc(out, 'm');
}

static bool is_plain(struct tui_look look)
{
	return look.front < 0 && look.back < 0 && !look.attributes;
}

static void print_row(
	const struct tui_cells *cells, const struct tui_cell *row, enum tui_theme theme, enum tui_depth depth, struct stint_buf *out)
{
	int end = cells->width;
	while (end > 0 && strcmp(row[end - 1].glyph, " ") == 0 && (depth == TUI_MONO || row[end - 1].back == TUI_TEXT))
		end--;
	const struct tui_look plain = {-1, -1, 0};
	struct tui_look now = plain;
	for (int x = 0; x < end; x++) {
		const struct tui_look look = tui_look_of(theme, depth, row[x].role, row[x].back);
		if (depth != TUI_MONO && (look.front != now.front || look.back != now.back || look.attributes != now.attributes)) {
			if (is_plain(look))
				stint_buf_puts(out, "\x1b[0m");
			else
				put_look(out, look);
			now = look;
		}
		stint_buf_puts(out, row[x].glyph);
	}
	if (!is_plain(now))
		stint_buf_puts(out, "\x1b[0m");
	stint_buf_putc(out, '\n');
}

void tui_print(const struct tui_cells *cells, enum tui_theme theme, enum tui_depth depth, struct stint_buf *out)
{
	for (int y = 0; y < cells->height; y++)
		print_row(cells, cells->items + (size_t)y * (size_t)cells->width, theme, depth, out);
}

/* FNV-1a: the colour must not change from run to run, as the seeded hash of a map would. */
enum tui_role tui_project_role(const char *project)
{
	uint32_t hash = 2166136261u;
	for (const char *at = project ? project : ""; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	return (enum tui_role)(TUI_PROJECT + (hash ^ hash >> 16) % TUI_PROJECTS);
}
