"""What profiles demand, where no package on the index ships their shapes: the same, in short."""

from __future__ import annotations

#: The mandatory properties of DCAT-AP 3.0.1, and the classes that their values need; of ours, too, that
#: a distribution has its size, checksum, type, and a licence or a statement of rights.
DCAT_AP = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix spdx: <http://spdx.org/rdf/terms#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
[] a sh:NodeShape ; sh:targetClass dcat:Catalog ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:publisher ; sh:minCount 1 ; sh:maxCount 1 ; sh:class foaf:Agent ] ,
    [ sh:path dcat:dataset ; sh:minCount 1 ; sh:class dcat:Dataset ] .
[] a sh:NodeShape ; sh:targetClass dcat:Dataset ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dcat:distribution ; sh:class dcat:Distribution ] ,
    [ sh:path dct:language ; sh:class dct:LinguisticSystem ] ,
    [ sh:path dct:spatial ; sh:class dct:Location ] ,
    [ sh:path dct:temporal ; sh:maxCount 1 ; sh:class dct:PeriodOfTime ] ,
    [ sh:path dcat:theme ; sh:class skos:Concept ] .
[] a sh:NodeShape ; sh:targetSubjectsOf dct:issued , dct:modified ;
  sh:property [ sh:path dct:issued ; sh:maxCount 1 ; sh:datatype xsd:date ] ,
    [ sh:path dct:modified ; sh:maxCount 1 ; sh:datatype xsd:dateTime ] .
[] a sh:NodeShape ; sh:targetObjectsOf dcat:dataset ;
  sh:property [ sh:path dcat:distribution ; sh:minCount 1 ] .
[] a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [ sh:path dcat:accessURL ; sh:minCount 1 ; sh:class rdfs:Resource ] ,
    [ sh:path dct:license ; sh:maxCount 1 ; sh:class dct:LicenseDocument ] ,
    [ sh:path [ sh:alternativePath ( dct:license dct:rights ) ] ; sh:minCount 1 ] ,
    [ sh:path dcat:byteSize ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:nonNegativeInteger ] ,
    [ sh:path dcat:mediaType ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dct:MediaType ] ,
    [ sh:path dct:format ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dct:MediaTypeOrExtent ] ,
    [ sh:path spdx:checksum ; sh:minCount 1 ; sh:class spdx:Checksum ] .
[] a sh:NodeShape ; sh:targetClass foaf:Agent ; sh:property [ sh:path foaf:name ; sh:minCount 1 ] .
[] a sh:NodeShape ; sh:targetClass dcat:DataService ;
  sh:property [ sh:path dcat:endpointURL ; sh:minCount 1 ] , [ sh:path dct:title ; sh:minCount 1 ] .
[] a sh:NodeShape ; sh:targetClass spdx:Checksum ;
  sh:property [ sh:path spdx:algorithm ; sh:minCount 1 ; sh:class spdx:ChecksumAlgorithm ] ,
    [ sh:path spdx:checksumValue ; sh:minCount 1 ; sh:datatype xsd:hexBinary ] .
"""

#: What Google's dataset search requires, and what it recommends of licence, dates and downloads
#: (https://developers.google.com/search/docs/appearance/structured-data/dataset).
GOOGLE = r"""
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix so: <http://schema.org/> .
[] a sh:NodeShape ; sh:targetClass so:Dataset ;
  sh:property [ sh:path so:name ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path so:description ; sh:minCount 1 ; sh:minLength 50 ; sh:maxLength 5000 ] ,
    [ sh:path so:url ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path so:license ; sh:minCount 1 ] , [ sh:path so:creator ; sh:minCount 1 ] ,
    [ sh:path so:datePublished ; sh:minCount 1 ; sh:pattern "^\\d{4}-\\d\\d-\\d\\d" ] ,
    [ sh:path so:distribution ; sh:minCount 1 ; sh:class so:DataDownload ] .
[] a sh:NodeShape ; sh:targetClass so:DataDownload ;
  sh:property [ sh:path so:contentUrl ; sh:minCount 1 ] ,
    [ sh:path so:encodingFormat ; sh:minCount 1 ] ,
    [ sh:path so:contentSize ; sh:minCount 1 ; sh:pattern "^\\d+ B$" ] ,
    [ sh:path so:sha256 ; sh:minCount 1 ; sh:pattern "^[0-9a-f]{64}$" ] .
"""

#: What DataCite 4 makes mandatory, the form of its dates, and the address of each licence.
DATACITE = r"""
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://datacite.org/schema/kernel-4"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <define name="text"><data type="string"><param name="minLength">1</param></data></define>
  <define name="attributes"><zeroOrMore><attribute><anyName/></attribute></zeroOrMore></define>
  <define name="anything">
    <zeroOrMore><choice>
      <attribute><anyName/></attribute><text/><element><anyName/><ref name="anything"/></element>
    </choice></zeroOrMore>
  </define>
  <start><element name="resource"><ref name="attributes"/><interleave>
    <element name="identifier"><attribute name="identifierType"><value>DOI</value></attribute>
      <data type="string"><param name="pattern">10\.\d{4,9}/\S+</param></data></element>
    <element name="creators"><oneOrMore><element name="creator">
      <element name="creatorName"><ref name="attributes"/><ref name="text"/></element>
      <zeroOrMore><element><anyName><except><name>creatorName</name></except></anyName>
        <ref name="anything"/></element></zeroOrMore></element></oneOrMore></element>
    <element name="titles"><oneOrMore><element name="title"><ref name="attributes"/>
      <ref name="text"/></element></oneOrMore></element>
    <element name="publisher"><ref name="attributes"/><ref name="text"/></element>
    <element name="publicationYear">
      <data type="string"><param name="pattern">\d{4}</param></data></element>
    <element name="resourceType">
      <attribute name="resourceTypeGeneral"><value>Dataset</value></attribute>
      <ref name="text"/></element>
    <element name="dates"><oneOrMore><element name="date">
      <attribute name="dateType"><choice>
        <value>Issued</value><value>Updated</value><value>Other</value></choice></attribute>
      <optional><attribute name="dateInformation"/></optional>
      <data type="string">
        <param name="pattern">\d{4}-\d\d-\d\d(T[0-9:.]+Z)?(/\d{4}-\d\d-\d\d)?</param></data>
    </element></oneOrMore></element>
    <element name="rightsList"><oneOrMore><element name="rights">
      <attribute name="rightsURI"/>
      <zeroOrMore><attribute><anyName><except><name ns="">rightsURI</name></except></anyName>
      </attribute></zeroOrMore><text/></element></oneOrMore></element>
    <zeroOrMore><element><anyName><except>
      <name>identifier</name><name>creators</name><name>titles</name><name>publisher</name>
      <name>publicationYear</name><name>resourceType</name><name>dates</name><name>rightsList</name>
    </except></anyName><ref name="anything"/></element></zeroOrMore>
  </interleave></element></start>
</grammar>
"""

#: What a catalogue of software asks of CodeMeta 3.
CODEMETA = {
    "type": "object",
    "required": ["@context", "type", "name", "description", "version", "license", "author"],
    "properties": {
        "@context": {"const": "https://w3id.org/codemeta/3.0"},
        "type": {"const": "SoftwareSourceCode"},
        "version": {"pattern": r"^\d+\.\d+\.\d+"},
        "license": {"pattern": "^https://spdx.org/licenses/"},
        "author": {"type": "array", "minItems": 1, "items": {"required": ["type", "name"]}},
        "softwareRequirements": {"items": {"required": ["name"]}},
    },
}
