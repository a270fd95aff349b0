/* The figures at the top of the overview: at any width, and for any amount, a number is there whole or rounded, or it is not there; it is never cut. */
#include "tests/unit/test.h"
#include "tests/unit/tui/scene.h"

#include "cli/tui/views/tiles.h"

enum { TILES = 6, FIGURE = 1, BELOW = 2 };

/* What stands in a line of a tile, without the blanks around it. */
static void read_tile(const struct tui_cells *cells, int tile, int line, char out[static VIEW_WORD])
{
	const int from = cells->width * tile / TILES + 1, to = cells->width * (tile + 1) / TILES;
	size_t length = 0;
	for (int x = from; x < to; x++)
		out[length++] = cells->items[line * cells->width + x].glyph[0];
	while (length && out[length - 1] == ' ')
		length--;
	out[length] = '\0';
	assert_string_equal(cells->items[line * cells->width + from - 1].glyph, " "); /* it keeps its distance */
}

static const char *with_decimals(double amount, int decimals, char out[static VIEW_WORD])
{
	snprintf(out, VIEW_WORD, "%.*f", decimals, amount + 1e-9); /* a half is rounded up */
	if (!decimals)
		return out;
	char *end = out + strlen(out);
	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
	return out;
}

/* Is the text "A of B", or "A" alone, each rounded, and neither to nothing when it is something? */
static bool says(const char *text, double amount, double of)
{
	char value[VIEW_WORD], sum[VIEW_WORD];
	for (int first = 0; first <= 3; first++) {
		with_decimals(amount, first, value);
		if (amount > 0 && strcmp(value, "0") == 0)
			continue;
		if (strcmp(text, value) == 0)
			return true;
		for (int second = 0; second <= 3; second++) {
			stint_autofree char *both = stint_format("%s of %s", value, with_decimals(of, second, sum));
			if (strcmp(text, both) == 0 && (of <= 0 || strcmp(sum, "0") != 0))
				return true;
		}
	}
	return false;
}

static const double amounts[] = {0, 0.001, 0.04, 0.125, 0.5, 0.875, 0.999, 1, 7.375, 7.999, 9.9995, 10, 15.875, 26.8, 99.95, 100, 875.125,
	9999.5, 12345.75, 100000, 1234567.875, 99999999999.5};

static void check(const struct tui_world *world, int width)
{
	const struct tui_totals *totals = &world->totals;
	const struct tui_now now = {.world = world, .ms = SCENE_NOW_MS};
	struct tui_cells cells = {0};
	char text[VIEW_WORD];
	tui_cells_reset(&cells, width, 4, false);
	view_tiles_draw(&now, tui_area_of(&cells));
	const struct {
		int tile;
		double amount, of;
	} figures[] = {{0, totals->nodes_ready, totals->nodes}, {1, totals->gpus_allocated, totals->gpus},
		{2, totals->gpus_used, totals->devices_held - totals->devices_silent}, {3, totals->devices_idle, -1},
		{4, totals->gpus_free, -1}};
	for (size_t at = 0; at < STINT_COUNT(figures); at++) {
		read_tile(&cells, figures[at].tile, FIGURE, text);
		if (!says(text, figures[at].amount, figures[at].of))
			fail_msg("%d columns: tile %d says \"%s\" of %g and %g", width, figures[at].tile, text, figures[at].amount,
				figures[at].of);
	}
	stint_autofree char *alone = stint_format("%u", totals->waiting),
			    *both = stint_format("%u, %u run", totals->waiting, totals->running);
	read_tile(&cells, 5, FIGURE, text);
	if (strcmp(text, alone) != 0 && strcmp(text, both) != 0)
		fail_msg("%d columns: \"%s\" for %s", width, text, both);
	read_tile(&cells, 0, BELOW, text);
	stint_autofree char *bad = stint_format("%u bad", totals->nodes_bad),
			    *off = stint_format("%u bad, %u off", totals->nodes_bad, totals->nodes_cordoned);
	if (strcmp(text, bad) != 0 && strcmp(text, off) != 0)
		fail_msg("%d columns: \"%s\" for %s", width, text, off);
	tui_cells_free(&cells);
}

static void test_a_figure_is_whole_or_rounded_and_never_cut(void **state)
{
	(void)state;
	for (size_t first = 0; first < STINT_COUNT(amounts); first++) {
		for (size_t second = 0; second < STINT_COUNT(amounts); second++) {
			const double small = amounts[first], large = amounts[second];
			const uint32_t few = small < 1e7 ? (uint32_t)small : 9999998u, many = large < 1e7 ? (uint32_t)large : 9999998u;
			const struct tui_world world = {.nodes_known = true,
				.pods_known = true,
				.totals = {.nodes = many + 1,
					.nodes_ready = few,
					.nodes_bad = few + 1,
					.nodes_cordoned = many + 1,
					.gpus = large,
					.gpus_allocated = small,
					.gpus_used = small,
					.devices_held = many,
					.devices_idle = few,
					.gpus_free = large,
					.gpus_useless = small,
					.waiting = few,
					.running = many,
					.oldest_ms = SCENE_NOW_MS - (int64_t)few * 1000}};
			for (int width = 80; width <= 200; width += width < 100 ? 1 : 17)
				check(&world, width);
		}
	}
}

/* All words of a tile, at the smallest size, stand there to their end. */
static void test_words_have_room_at_the_smallest_size(void **state)
{
	(void)state;
	const struct tui_world worlds[] = {{.nodes_known = false, .pods_known = false},
		{.nodes_known = true,
			.pods_known = true,
			.only = "vision",
			.totals = {.gpus_used = -1, .devices_held = 3, .gpus_useless = -1}},
		{.nodes_known = true,
			.pods_known = true,
			.totals = {.gpus = 12345.5, .gpus_free = 12345.5, .gpus_used = -1, .gpus_useless = -1, .nodes_bad = 123456}},
		{.nodes_known = true,
			.pods_known = true,
			.totals = {.nodes_cordoned = 1234567, .oldest_ms = SCENE_NOW_MS - INT64_C(2900) * 86400000}}};
	static const char *const words[] = {"", "?", "-", "0", "0 of 0", "0 of 12346", "0 of 12345.5", "- of 12345.5", "0, 0 run", "unseen",
		"not all", "all silent", "none held", "no demand", "none usable", "all usable", "1.4 unusable", "part usable", "12345.5",
		"12346", "below 5 %", "0%", "123456 bad", "1234567 off", "for 7y345d", "oldest 7y345d", "others unseen",
		"123456 not ready"};
	for (size_t at = 0; at < STINT_COUNT(worlds); at++) {
		struct tui_cells cells = {0};
		const struct tui_now now = {.world = &worlds[at], .ms = SCENE_NOW_MS};
		tui_cells_reset(&cells, 80, 4, true);
		view_tiles_draw(&now, tui_area_of(&cells));
		for (int tile = 0; tile < TILES; tile++) {
			for (int line = FIGURE; line <= BELOW; line++) {
				char text[VIEW_WORD];
				bool known = false;
				read_tile(&cells, tile, line, text);
				for (size_t i = 0; i < STINT_COUNT(words); i++)
					known |= strcmp(words[i], text) == 0;
				if (!known && !strstr(text, "oldest"))
					fail_msg("world %zu, tile %d: \"%s\"", at, tile, text);
			}
		}
		tui_cells_free(&cells);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_figure_is_whole_or_rounded_and_never_cut),
		cmocka_unit_test(test_words_have_room_at_the_smallest_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
