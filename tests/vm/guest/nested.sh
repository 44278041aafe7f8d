#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
echo "nested: $#"
sh -c 'expr 6 \* 7; exit 5'
