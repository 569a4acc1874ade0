/* SPDX-License-Identifier: MPL-2.0 */
/* The picture's drawings: parts of the page that picture.c writes. */
#ifndef DEMO_PICTURE_GRID_H
#define DEMO_PICTURE_GRID_H

#include "picture.h"

#include <stdio.h>

/*
 * Rectangles side by side, one for each owner in the census, of class "o" and
 * the owner's number.
 */
void picture_put_shares(FILE *file, const struct census *census, double x,
			double y, double width, double height);

/* What a region of the map is called: its kind, or "plugged in". */
const char *picture_span_name(const struct picture *picture,
			      const struct fh_span *span);

/* All memory as an SVG element; returns how many pages a cell stands for. */
uint64_t picture_put_grid(FILE *file, const struct picture *picture);

#endif /* DEMO_PICTURE_GRID_H */
