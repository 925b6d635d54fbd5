# SPDX-License-Identifier: BSD-2-Clause
"""The scenarios beside this file can be imported by the tests in the folders below it."""
