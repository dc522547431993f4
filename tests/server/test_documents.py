"""PDFs that a message brings along: their text is for the model, the file for the person."""

import base64
import concurrent.futures
import http.client
import unittest
from pathlib import Path

from test_app import AppTest

READER = Path("/usr/bin/pdftotext")


def pdf(*pages, trailer=""):
    """A whole PDF with a line of text on each page."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, text in enumerate(pages):
        content = f"BT /F 12 Tf 72 700 Td ({text}) Tj ET" if text else "0 0 m 9 9 l S"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F 3 0 R >> >> "
            f"/Contents {5 + 2 * i} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        f"{out}xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode()


class DocumentTest(AppTest):
    def attach(self, content, name="paper.pdf", status=200):
        return self.app("POST", "attachments", {"name": name, "data": base64.b64encode(content).decode()}, status)

    def download(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", f"/app/attachments/{number}", headers={"Authorization": f"Bearer {self.token}"})
        response = connection.getresponse()
        self.assertEqual(response.getheader("Content-Type"), "application/octet-stream")
        return response.read()


@unittest.skipUnless(READER.exists(), "there is no pdftotext")
class PdfTest(DocumentTest):
    options = ("--ctx", "2048")

    def test_the_model_reads_its_text_and_the_person_gets_the_file(self):
        file = pdf("The password of the zoo is quokka.", "Second page.")
        attached = self.attach(file)
        text = "The password of the zoo is quokka.\n\nSecond page."
        self.assertEqual([attached["bytes"], attached["characters"]], [len(file), len(text)])
        number = self.conversation()
        sent = self.say(number, "What is the password?", attachments=[attached["id"]])
        self.assertEqual(sent["message"]["attachments"][0]["name"], "paper.pdf")
        reply = self.ended(number, sent["reply"]["id"])
        self.assertEqual(self.download(attached["id"]), file)
        asked = f"File paper.pdf:\n{text}\n\nWhat is the password?"
        answer = self.post(
            "/v1/chat/completions", messages=[{"role": "user", "content": asked}], max_tokens=24, temperature=0
        )
        self.assertEqual(reply["content"], answer["choices"][0]["message"]["content"])

    def test_what_cannot_be_read_is_refused_with_the_reason_and_nothing_is_lost(self):
        key = "x" * 32
        lock = f"<< /Filter /Standard /V 1 /R 2 /O ({key}) /U ({key}) /P -4 >>"
        locked = f"/Encrypt {lock} /ID [(0123456789abcdef) (0123456789abcdef)]"
        number = self.conversation()
        kept = self.attach(b"a text", "notes.txt")
        for content, says in (
            (pdf(""), "has no text"),
            (pdf("x", trailer=locked), "is encrypted"),
            (b"%PDF-1.4\nnothing", "is damaged"),
            (pdf("x")[:40], "is damaged"),
        ):
            error = self.attach(content, status=400)["error"]["message"]
            self.assertTrue(error.startswith("'paper.pdf' can't be attached: "), error)
            self.assertIn(says, error)
        sent = self.say(number, "Here it is.", attachments=[kept["id"]], answer=False)
        self.assertEqual(len(sent["message"]["attachments"]), 1)

    def test_a_text_that_tells_of_pdf_is_a_text(self):
        self.assertEqual(self.attach(b"A file begins with %PDF-1.4", "notes.txt")["characters"], 27)

    def test_several_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda i: self.attach(pdf(f"Number {i}")), range(8)))
        self.assertEqual({each["characters"] for each in done}, {8})


class NoSandboxTest(DocumentTest):
    model = None
    options = ("--ctx", "256", "--no-module-sandbox")

    def test_no_document_is_read(self):
        error = self.attach(pdf("x"), status=403)["error"]["message"]
        self.assertIn("documents are read in a confined process only", error)
        self.assertIn("module-sandbox", error)
        self.attach(b"a text", "notes.txt")
