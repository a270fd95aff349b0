/*
 * tiles: see tiles.h. A line of a tile is a list of forms, each shorter than the one before it; the first that fits is drawn. So a number is there
 * whole, or rounded so that it is still no other one, or not at all.
 */
#include "cli/tui/views/tiles.h"

#include <stdio.h>

#include "cli/tui/terms.h"

#define NEAR 1e-6

enum { TILE_COUNT = TUI_TERM_WAITING + 1, FORMS = 8, DECIMALS = 3, ROUGH_FROM = 10 };

struct form {
	char value[VIEW_WORD], beside[VIEW_WORD]; /* the number, and what it is of */
};
struct tile {
	const char *title;
	struct form figure[FORMS], below[FORMS]; /* below: values alone */
	int figures, belows;
	enum tui_role role, below_role;
};

static void say(struct tile *tile, const char *value, const char *beside)
{
	struct form *form = &tile->figure[tile->figures++];
	snprintf(form->value, sizeof form->value, "%s", value);
	snprintf(form->beside, sizeof form->beside, "%s", beside);
}

static void say_below(struct tile *tile, const char *format, ...) STINT_PRINTF(2, 3);
static void say_below(struct tile *tile, const char *format, ...)
{
	struct form *form = &tile->below[tile->belows++];
	va_list args;
	va_start(args, format);
	vsnprintf(form->value, sizeof form->value, format, args);
	va_end(args);
}

/* With so many decimals; false: it would read as nothing, and is not. */
static bool rounded(double gpus, int decimals, char out[static VIEW_WORD])
{
	static const double steps[DECIMALS + 1] = {1, 10, 100, 1000};
	const double near = (double)(int64_t)(gpus * steps[decimals] + 0.5) / steps[decimals];
	view_gpus(gpus < 0 ? gpus : near, out);
	return near > 0 || gpus <= 0;
}

/* "7.375 of 16", in ever fewer decimals, and then without the sum; of < 0: there is none. One decimal will do for large amounts. */
static void say_amount(struct tile *tile, double gpus, double of, int most)
{
	char value[VIEW_WORD], sum[VIEW_WORD];
	for (int with = of >= 0; with >= 0; with--) {
		for (int decimals = most; decimals >= 0; decimals--) {
			const bool fine = rounded(gpus, gpus >= ROUGH_FROM && decimals > 1 ? 1 : decimals, value);
			stint_autofree char *beside = NULL;
			if (!fine || (with && !rounded(of, of >= ROUGH_FROM && decimals > 1 ? 1 : decimals, sum)))
				continue;
			beside = with ? stint_format(" of %s", sum) : stint_strdup("");
			say(tile, value, beside);
		}
	}
	if (!tile->figures)
		say(tile, "<0.001", "");
}

/* ---- each of them ------------------------------------------------------------------------------------------------------------------- */

static void fill_nodes(const struct tui_world *world, struct tile *tile)
{
	const struct tui_totals *totals = &world->totals;
	if (!world->nodes_known) {
		say(tile, "?", "");
		say_below(tile, "may not be seen");
		say_below(tile, "unseen");
		return;
	}
	say_amount(tile, totals->nodes_ready, totals->nodes, 0);
	tile->role = totals->nodes_bad ? TUI_BAD : TUI_GOOD;
	tile->below_role = totals->nodes_bad ? TUI_BAD : TUI_WARN;
	if (totals->nodes_bad && totals->nodes_cordoned)
		say_below(tile, "%u bad, %u off", totals->nodes_bad, totals->nodes_cordoned);
	if (totals->nodes_bad && !totals->nodes_cordoned)
		say_below(tile, "%u not ready", totals->nodes_bad);
	if (totals->nodes_bad)
		say_below(tile, "%u bad", totals->nodes_bad);
	else if (totals->nodes_cordoned)
		say_below(tile, "%u cordoned", totals->nodes_cordoned);
	if (!totals->nodes_bad && totals->nodes_cordoned)
		say_below(tile, "%u off", totals->nodes_cordoned);
}

static void fill_held(const struct tui_world *world, struct tile *tile)
{
	const struct tui_totals *totals = &world->totals;
	char percent[VIEW_WORD];
	if (world->only)
		tile->title = "GPUS OF IT";
	say_amount(tile, totals->gpus_allocated, world->nodes_known ? totals->gpus : -1, DECIMALS);
	if (world->only) {
		say_below(tile, "others unseen");
		say_below(tile, "not all");
	} else if (totals->gpus > 0 && totals->gpus_allocated >= 0) {
		say_below(tile, "%s", view_percent(100 * totals->gpus_allocated / totals->gpus, percent));
	}
}

/* Which devices are held is known of nodes that are seen, with their pods. */
static bool holders_known(const struct tui_world *world)
{
	return world->nodes_known && world->pods_known;
}

static void fill_busy(const struct tui_world *world, struct tile *tile)
{
	const struct tui_totals *totals = &world->totals;
	if (totals->gpus_used < 0) {
		say(tile, totals->devices_held || !holders_known(world) ? "?" : "-", "");
		say_below(tile, !holders_known(world) ? "unseen" : totals->devices_held ? "all silent" : "none held");
		return;
	}
	/* It trembles: more than one decimal only where one would say nothing. */
	say_amount(tile, totals->gpus_used, totals->devices_held - totals->devices_silent, totals->gpus_used < 0.05 ? DECIMALS : 1);
	if (totals->devices_silent)
		say_below(tile, "%u silent", totals->devices_silent);
}

static void fill_idle(const struct tui_world *world, struct tile *tile)
{
	const struct tui_totals *totals = &world->totals;
	if (totals->gpus_used < 0) {
		say(tile, totals->devices_held || !holders_known(world) ? "?" : "-", "");
		return;
	}
	say_amount(tile, totals->devices_idle, -1, 0);
	say_below(tile, "below 5 %%");
	tile->role = totals->devices_idle ? TUI_WARN : TUI_GOOD;
}

/* What is free, and how much of it something that waits could use as it lies. */
static void fill_free(const struct tui_world *world, struct tile *tile)
{
	const struct tui_totals *totals = &world->totals;
	char text[VIEW_WORD];
	if (!holders_known(world) || world->only) {
		say(tile, "?", "");
		return;
	}
	say_amount(tile, totals->gpus_free, -1, DECIMALS);
	if (totals->gpus_free <= 0)
		return;
	tile->role = totals->gpus_useless > 0 ? TUI_WARN : TUI_GOOD;
	if (totals->gpus_useless < 0) {
		say_below(tile, "no demand");
	} else if (totals->gpus_useless == 0) {
		say_below(tile, "all usable");
	} else if (totals->gpus_free - totals->gpus_useless < NEAR) {
		say_below(tile, "none usable");
	} else {
		for (int decimals = DECIMALS; decimals >= 0; decimals--) {
			if (rounded(totals->gpus_useless, decimals, text))
				say_below(tile, "%s unusable", text);
		}
		say_below(tile, "part usable");
	}
}

static void fill_waiting(const struct tui_now *now, struct tile *tile)
{
	const struct tui_totals *totals = &now->world->totals;
	char age[STINT_TIME_SIZE];
	if (!now->world->pods_known) {
		say(tile, "?", "");
		return;
	}
	stint_autofree char *waiting = stint_format("%u", totals->waiting), *running = stint_format(", %u run", totals->running);
	say(tile, waiting, running);
	say(tile, waiting, "");
	tile->role = totals->waiting ? TUI_WARN : TUI_GOOD;
	if (totals->oldest_ms < 0)
		return;
	stint_duration_format(now->ms - totals->oldest_ms, age);
	say_below(tile, "oldest %s", age);
	say_below(tile, "for %s", age);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------------------------ */

static void draw_forms(struct tui_area area, int y, enum tui_role role, const struct form *forms, int count)
{
	for (int at = 0; at < count; at++) {
		const struct form *form = &forms[at];
		if (tui_width(area.cells, form->value) + tui_width(area.cells, form->beside) > area.width)
			continue;
		const int taken = tui_put(area, y, 0, role, form->value);
		tui_put(area, y, taken, TUI_DIM, form->beside);
		return;
	}
}

void view_tiles_draw(const struct tui_now *now, struct tui_area area)
{
	struct tile tiles[TILE_COUNT];
	for (int at = 0; at < TILE_COUNT; at++)
		tiles[at] = (struct tile){.title = tui_term_rows[at].title, .role = TUI_STRONG, .below_role = TUI_DIM};
	fill_nodes(now->world, &tiles[TUI_TERM_READY]);
	fill_held(now->world, &tiles[TUI_TERM_HELD]);
	fill_busy(now->world, &tiles[TUI_TERM_BUSY]);
	fill_idle(now->world, &tiles[TUI_TERM_IDLE]);
	fill_free(now->world, &tiles[TUI_TERM_FREE]);
	fill_waiting(now, &tiles[TUI_TERM_WAITING]);
	for (int at = 0; at < TILE_COUNT; at++) {
		const int x = area.width * at / TILE_COUNT, width = area.width * (at + 1) / TILE_COUNT - x;
		struct tui_area part = tui_area_part(area, 0, x + 1, area.height, width - 1);
		tui_put(part, 0, 0, TUI_DIM, tiles[at].title);
		draw_forms(part, 1, tiles[at].role, tiles[at].figure, tiles[at].figures);
		draw_forms(part, 2, tiles[at].below_role, tiles[at].below, tiles[at].belows);
	}
}
