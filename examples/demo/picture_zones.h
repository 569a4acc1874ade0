/* SPDX-License-Identifier: MPL-2.0 */
/* The picture's part on zones: where free memory is, and how whole. */
#ifndef DEMO_PICTURE_ZONES_H
#define DEMO_PICTURE_ZONES_H

#include "picture.h"

#include <stdio.h>

/* A heading, a sentence, and a table with a bar for each zone. */
void picture_put_zones(FILE *file, const struct picture *picture);

#endif /* DEMO_PICTURE_ZONES_H */
