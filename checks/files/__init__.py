"""Files, git trees and local commands."""
