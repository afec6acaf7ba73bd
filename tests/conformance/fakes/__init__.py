# SPDX-License-Identifier: Apache-2.0
"""What a test puts into the path of the processes that it starts."""
