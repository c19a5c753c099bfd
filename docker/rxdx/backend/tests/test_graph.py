import unittest

from sqlalchemy.exc import IntegrityError

from rxdx import graph
from rxdx.config import read_config
from rxdx.database import make_engine


class Graph(unittest.TestCase):
    """Against the database; what a test makes is rolled back."""

    @classmethod
    def setUpClass(cls):
        cls.engine = make_engine(read_config())

    @classmethod
    def tearDownClass(cls):
        cls.engine.dispose()

    def setUp(self):
        self.connection = self.engine.connect()
        self.addCleanup(self.connection.close)

    def test_a_trace_goes_all_the_way(self):
        for kind, key in (("requirement", "UT-1"), ("requirement", "UT-2"), ("test", "UT-3")):
            graph.add(self.connection, kind, key, 'quoted "$$" \' \\ title')
        self.assertTrue(graph.link(self.connection, "refines", "UT-2", "UT-1"))
        self.assertTrue(graph.link(self.connection, "verifies", "UT-3", "UT-2"))
        self.assertFalse(graph.link(self.connection, "verifies", "UT-9", "UT-2"))
        found = graph.trace(self.connection, "UT-1")
        self.assertEqual([(node["key"], node["kind"], node["steps"]) for node in found], [("UT-2", "Requirement", 1), ("UT-3", "Test", 2)])
        self.assertEqual(found[0]["title"], 'quoted "$$" \' \\ title')

    def test_a_key_is_taken_once(self):
        graph.add(self.connection, "requirement", "UT-1", "first")
        with self.assertRaises(IntegrityError):
            graph.add(self.connection, "requirement", "UT-1", "second")
