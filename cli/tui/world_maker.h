/*
 * world_maker: what the parts of making a world share. world.c has totals and events, world_shares.c projects,
 * world_line.c the line of what waits.
 */
#ifndef STINT_CLI_TUI_WORLD_MAKER_H
#define STINT_CLI_TUI_WORLD_MAKER_H

#include "cli/tui/world.h"

struct tui_maker {
	struct tui_world world;
	struct stint_arena *arena; /* everything in the world but what is borrowed */
	struct stint_map *projects_by_name; /* -> struct tui_project */
	double usage_factor;
};

void make_projects(struct tui_maker *maker, const struct tui_sources *sources);
void make_line(struct tui_maker *maker, const struct tui_sources *sources, int64_t now_ms);

#endif
